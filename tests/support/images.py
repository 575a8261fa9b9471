"""Images that tests register by REST: uploads and dates GraphQL can't do."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path

import httpx

from gateway.demo.glance import DATABASE
from tests.support.gateway import Json


def glance_rest(port: int, token: str) -> httpx.Client:
    """Return a client for Glance's REST with that token."""
    url = f"http://127.0.0.1:{port}/v2"
    return httpx.Client(base_url=url, headers={"X-Auth-Token": token})


def create_image(
    rest: httpx.Client, *, data: bytes | None = None, **image: Json
) -> str:
    """Register an image, upload its data, if any, and return its id."""
    created = rest.post("/images", json=image).raise_for_status()
    image_id = str(created.json()["id"])
    if data is not None:
        binary = {"Content-Type": "application/octet-stream"}
        path = f"/images/{image_id}/file"
        rest.put(path, content=data, headers=binary).raise_for_status()
    return image_id


def patch_image(rest: httpx.Client, image_id: str, **values: Json) -> None:
    """Set attributes and properties past the gateway, by their keys."""
    patch = [
        {"op": "add", "path": f"/{key}", "value": value}
        for key, value in values.items()
    ]
    media_type = "application/openstack-images-v2.1-json-patch"
    path, headers = f"/images/{image_id}", {"Content-Type": media_type}
    rest.patch(path, json=patch, headers=headers).raise_for_status()


def date_images(glance_data: Path, dates: Iterable[tuple[str, str, str]]) -> None:
    """Set the times of images, each given as (created at, updated at, id).

    Times are `2026-01-31 12:00:00.000000`, as sqlite holds them.
    """
    update = "UPDATE images SET created_at = ?, updated_at = ? WHERE id = ?"
    with closing(sqlite3.connect(glance_data / DATABASE)) as database, database:
        database.executemany(update, dates)
