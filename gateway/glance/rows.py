"""The images of a list, decoded on first access."""

from collections.abc import Sequence
from typing import Annotated, Any, overload

import msgspec
import orjson

from gateway.glance.errors import GlanceUnavailable
from gateway.glance.nesting import is_too_deep
from gateway.glance.records import ImageRecord

KEY = "images"


class Outline(msgspec.Struct, gc=False):
    """The part of an image that determines its position in a list."""

    id: Annotated[str, msgspec.Meta(min_length=1)]
    size: Any = None


class Rows(Sequence[ImageRecord]):
    """Some of the images in one response from Glance.

    `content` is the body of the response, `window` selects these images in it. All
    records are decoded on the first access to one; that raises GlanceUnavailable if
    they cannot be decoded.
    """

    __slots__ = ("_outlines", "_records", "content", "window")

    def __init__(
        self, content: bytes, outlines: Sequence[Outline], start: int = 0
    ) -> None:
        """Contain the images with these outlines, from index `start` on."""
        self.content = content
        self.window = slice(start, start + len(outlines))
        self._outlines = outlines
        self._records: list[ImageRecord] | None = None

    def outline(self, index: int) -> Outline:
        """Return the outline of an image, without decoding the image."""
        return self._outlines[index]

    def __len__(self) -> int:
        """Return the number of images."""
        return len(self._outlines)

    @overload
    def __getitem__(self, index: int) -> ImageRecord: ...
    @overload
    def __getitem__(self, index: slice) -> "Rows": ...
    def __getitem__(self, index: int | slice) -> "ImageRecord | Rows":
        """Return an image, or those of a slice without a step."""
        if isinstance(index, int):
            return self._decoded()[index]
        start, _, step = index.indices(len(self))
        if step != 1:
            message = "Rows are cut into parts without a step."
            raise ValueError(message)
        first = self.window.start + start
        return Rows(self.content, self._outlines[index], first)

    def _decoded(self) -> list[ImageRecord]:
        if self._records is None:
            try:
                records = orjson.loads(self.content)[KEY]
            except orjson.JSONDecodeError as error:
                message = "Could not list images: Glance's response is not JSON."
                raise GlanceUnavailable(message) from error
            # Each image is an object with a list of tags.
            if is_too_deep(self.content, records, flat_openings=2 * len(records)):
                message = "Could not list images: a value is nested too deeply."
                raise GlanceUnavailable(message)
            self._records = records[self.window]
        return self._records


class _List(msgspec.Struct, gc=False):
    images: list[Outline]
    next: Any = None


_decoder = msgspec.json.Decoder(_List)


def outlined(content: bytes) -> tuple[Rows, bool]:
    """Return the images of a list, and whether it names a next page.

    Only a non-empty text names one, as some servers send null with the last page.
    Raises ValueError for anything but a list of images that have ids.
    """
    content.decode()
    try:
        page = _decoder.decode(content)
    except (msgspec.DecodeError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return Rows(content, page.images), is_link(page.next)


def is_link(value: object) -> bool:
    """Return whether the `next` of a list names a page."""
    return isinstance(value, str) and value != ""
