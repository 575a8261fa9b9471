"""Paths of Glance's API for ids and tags that clients send. Pure."""

from http import HTTPStatus
from urllib.parse import quote

from gateway.glance.errors import NotFound

NAME_MAX_CHARACTERS = 255


def image_path(image_id: str) -> str:
    """Return the path of an image, with its id quoted as one segment.

    Raises NotFound for an id that no image can have: it is too long, empty, `.`,
    `..`, or contains a slash. Quoting does not help, as servers decode `%2F` and
    resolve dots before they route.
    """
    is_segment = "/" not in image_id and image_id not in {"", ".", ".."}
    if not is_segment or len(image_id) > NAME_MAX_CHARACTERS:
        message = f"No image found with ID {image_id[:NAME_MAX_CHARACTERS]}"
        raise NotFound(message, status=HTTPStatus.NOT_FOUND)
    return f"/v2/images/{quote(image_id, safe='')}"


def tag_path(image_id: str, tag: str) -> str:
    """Return the path of a tag that `fits_tag_route` accepts."""
    return f"{image_path(image_id)}/tags/{quote(tag, safe='')}"


def fits_tag_route(tag: str) -> bool:
    """Return whether Glance's tag route stores this tag unchanged.

    The route garbles characters that are not ASCII and drops line ends. A tag that
    contains a slash, or is empty, `.` or `..`, leads to another route. A tag of more
    than 255 characters may not fit into a URL.
    """
    is_plain = tag.isascii() and tag.isprintable() and "/" not in tag
    is_short = len(tag) <= NAME_MAX_CHARACTERS
    return is_plain and is_short and tag not in {"", ".", ".."}
