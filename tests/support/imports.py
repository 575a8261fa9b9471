"""Imports, which GraphQL can't start yet."""

import httpx

MOST_POLLS = 2000


def imported_image(rest: httpx.Client) -> str:
    """Import an image by glance-direct and return its id once that has ended."""
    formats = {"disk_format": "raw", "container_format": "bare"}
    image_id = str(rest.post("/images", json=formats).json()["id"])
    path, binary = f"/images/{image_id}", {"Content-Type": "application/octet-stream"}
    rest.put(f"{path}/stage", content=b"data" * 100, headers=binary).raise_for_status()
    method = {"method": {"name": "glance-direct"}}
    rest.post(f"{path}/import", json=method).raise_for_status()
    for _ in range(MOST_POLLS):
        tasks = rest.get(f"{path}/tasks").json()["tasks"]
        if tasks and tasks[-1]["status"] == "success":
            return image_id
    message = "the import has not ended"
    raise AssertionError(message)
