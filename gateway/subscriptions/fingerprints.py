"""Fingerprints of images, which show what keys differ without the values. Pure."""

from array import array
from collections.abc import Iterable, Mapping

import orjson

from gateway.glance.records import ImageRecord

# Four bytes for each value: one change in four thousand million goes unnoticed.
_DIGEST_BITS = 0xFFFF_FFFF
_TIMED = "updated_at"
_OPTIONS = orjson.OPT_SORT_KEYS

Shape = tuple[str, ...]
Fingerprint = tuple[Shape, bytes]
Fingerprints = Mapping[str, Fingerprint]


def fingerprints(
    images: Iterable[ImageRecord], known: Fingerprints
) -> dict[str, Fingerprint]:
    """Return the fingerprint of each image by its id.

    Images with the same keys share one tuple of them, also with the `known` ones.
    """
    shapes = {shape: shape for shape, _ in known.values()}
    made: dict[str, Fingerprint] = {}
    for image in images:
        shape, digests = fingerprint(image)
        made[image["id"]] = shapes.setdefault(shape, shape), digests
    return made


def fingerprint(image: ImageRecord) -> Fingerprint:
    """Return the keys of an image that are not null, and a digest of each value."""
    values = {key: value for key, value in image.items() if value is not None}
    digests = [_digest(key, values[key]) for key in values]
    return tuple(values), array("I", digests).tobytes()


def changed_keys(before: Fingerprint, after: Fingerprint) -> Shape:
    """Return the keys whose values differ; `updated_at` only if it is the only one.

    A missing value counts as null. `updated_at` counts whole seconds, so it may be
    equal although another value differs.
    """
    if before == after:
        return ()
    old, new = _by_key(before), _by_key(after)
    keys = tuple(key for key in {**new, **old} if old.get(key) != new.get(key))
    return tuple(key for key in keys if key != _TIMED) or keys


def _by_key(one: Fingerprint) -> Mapping[str, int]:
    shape, digests = one
    return dict(zip(shape, array("I", digests), strict=True))


def _digest(key: str, value: object) -> int:
    """Return the digest of a value; the order of tags and of stores is ignored.

    So is that of an object's keys.
    """
    if type(value) is not str:
        if key == "tags" and isinstance(value, list):
            value = sorted(map(str, value))
        return hash(orjson.dumps(value, option=_OPTIONS)) & _DIGEST_BITS
    if key == "stores":
        value = ",".join(sorted(value.split(",")))
    return hash(value) & _DIGEST_BITS
