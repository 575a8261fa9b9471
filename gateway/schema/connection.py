"""Pages of images as a Relay connection.

Source: https://relay.dev/graphql/connections.htm
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson
import strawberry
from strawberry import Parent

from gateway.context import Info
from gateway.glance.errors import InvalidArgument, MalformedRecord
from gateway.glance.listing import (
    PAGE_MAX_IMAGES,
    ImagePage,
    ImageQuery,
    Position,
    position_in,
    positions,
)
from gateway.glance.records import ImageRecord, with_errors
from gateway.glance.rows import Rows
from gateway.schema.types.image import Image
from gateway.schema.types.resolved import resolved

FINGERPRINT_CHARACTERS = 16
ID_MAX_CHARACTERS = 36


@dataclass(frozen=True, slots=True)
class ImageList:
    """What a connection shows: the images that match a query, `after` a place.

    `has_next` is None where Glance has to be asked for it.
    """

    query: ImageQuery
    images: Sequence[ImageRecord]
    has_next: bool | None
    after: Position | None


def wanted_images(first: int) -> int:
    """Return how many images to ask for: one more than shown, in one call.

    Raises InvalidArgument outside of 0 to 1000.
    """
    if not 0 <= first <= PAGE_MAX_IMAGES:
        raise InvalidArgument("first", f"must be 0 to {PAGE_MAX_IMAGES}, not {first}")
    return min(first + 1, PAGE_MAX_IMAGES)


def image_list(
    query: ImageQuery, page: ImagePage, *, first: int, after: Position | None
) -> ImageList:
    """Return the first images of what `wanted_images` brought."""
    has_next: bool | None = len(page.images) > first
    if not has_next and page.has_more:
        has_next = None
    return ImageList(query, page.images[:first], has_next, after)


def cursor(query: ImageQuery, position: Position) -> str:
    """Return the position as a text that holds for this query alone."""
    skipped = (position.skipped,) if position.skipped else ()
    parts = (_fingerprint(query), position.image_id, position.is_unsized, *skipped)
    return urlsafe_b64encode(orjson.dumps(parts)).decode()


def position_at(after: str | None, query: ImageQuery) -> Position | None:
    """Return the position of a cursor.

    Raises InvalidArgument for what is no cursor of this query.
    """
    if after is None:
        return None
    try:
        parts = orjson.loads(urlsafe_b64decode(after))
        fingerprint, image_id, is_unsized, *skipped = parts
    except (ValueError, TypeError) as error:
        raise InvalidArgument("after", "is not a cursor of this gateway") from error
    if fingerprint != _fingerprint(query):
        reason = "is a cursor of a list with another filter or order"
        raise InvalidArgument("after", reason)
    is_id = isinstance(image_id, str) and len(image_id) <= ID_MAX_CHARACTERS
    if not (is_id or (image_id is None and skipped)) or not _are_counted(skipped):
        raise InvalidArgument("after", "is not a cursor of this gateway")
    return Position(image_id, bool(is_unsized), *skipped)


def _are_counted(skipped: Sequence[object]) -> bool:
    """Return whether this is nothing, or one number of images in one page."""
    counts = range(1, PAGE_MAX_IMAGES + 1)
    return len(skipped) <= 1 and all(type(n) is int and n in counts for n in skipped)


def _fingerprint(query: ImageQuery) -> str:
    digest = hashlib.sha256(orjson.dumps((query.filters, query.sort, query.ids)))
    return digest.hexdigest()[:FINGERPRINT_CHARACTERS]


def _start_cursor(page: Parent[ImageList]) -> str | None:
    if not page.images:
        return None
    return cursor(page.query, position_in(page.images, 0, page.after))


def _end_cursor(page: Parent[ImageList]) -> str | None:
    if not page.images:
        return None
    return cursor(page.query, _end(page))


async def _has_next_page(page: Parent[ImageList], info: Info) -> bool:
    if page.has_next is not None:
        return page.has_next
    following = await info.context.catalog.list_images(
        info.context.caller, page.query, 1, _end(page)
    )
    return bool(following.images)


def _end(page: ImageList) -> Position:
    return position_in(page.images, -1, page.after)


def _has_previous_page(page: Parent[ImageList]) -> bool:
    return page.after is not None


def _edges(page: Parent[ImageList]) -> Sequence[Mapping[str, object]]:
    places = positions(page.images, page.after)
    return [
        {"cursor": cursor(page.query, place), "node": node}
        for place, node in zip(places, _nodes(page), strict=True)
    ]


def _nodes(page: Parent[ImageList]) -> Sequence[ImageRecord | MalformedRecord]:
    """Return the images, with an error for each that has no id."""
    if isinstance(page.images, Rows):
        return page.images
    return with_errors(page.images, "an image")


def _page_info(page: Parent[ImageList]) -> ImageList:
    return page


@strawberry.type(description="The position of a page in its list.")
class PageInfo:
    """Relay's PageInfo; its source is an ImageList."""

    has_next_page: bool = resolved(
        _has_next_page,
        (
            "Whether there are more images after this page. Costs a call"
            " to Glance only if `first` is 1000."
        ),
    )
    has_previous_page: bool = resolved(
        _has_previous_page,
        "Whether the page was requested with `after`.",
    )
    start_cursor: str | None = resolved(
        _start_cursor, "The cursor of the first image. Null if the page is empty."
    )
    end_cursor: str | None = resolved(
        _end_cursor,
        (
            "The cursor of the last image. Pass it as `after` to get the"
            " next page. Null if the page is empty."
        ),
    )


@strawberry.type(description="An image in a list, with its cursor.")
class ImageEdge:
    """Relay's edge."""

    cursor: str = strawberry.field(
        description=(
            "An opaque text. Pass it as `after`, with the same filter and"
            " order, to continue after this image."
        )
    )
    node: Image | None = strawberry.field(
        description="The image. Null, with an error, if it is malformed."
    )


@strawberry.type(description="One page of a list of images.")
class ImageConnection:
    """Relay's connection; its source is an ImageList."""

    edges: list[ImageEdge] = resolved(
        _edges, "The images of this page, with their cursors."
    )
    nodes: list[Image | None] = resolved(
        _nodes,
        ("The images of this page. A malformed image is null, with an error."),
    )
    page_info: PageInfo = resolved(
        _page_info, "Whether there are more pages, and their cursors."
    )
