"""Changes of an image as Glance's JSON patch. Pure.

Source: Image API v2, `PATCH /v2/images/{id}`, with RFC 6901 pointers of one
step. Glance's patch is a part of RFC 6902: add, remove and replace alone.
"""

from collections.abc import Iterable, Mapping

MEDIA_TYPE = "application/openstack-images-v2.1-json-patch"

Operation = dict[str, object]


def image_patch(
    attributes: Mapping[str, object],
    *,
    set_properties: Mapping[str, str],
    remove_properties: Iterable[str],
) -> list[Operation]:
    """Return the smallest patch that does this, attributes first.

    `add` is used for properties: it sets a new one and overwrites an old one,
    where `replace` of a missing one would be a conflict.
    """
    replaced = [_operation("replace", *change) for change in attributes.items()]
    added = [_operation("add", *change) for change in set_properties.items()]
    removed: list[Operation] = [
        {"op": "remove", "path": pointer(name)} for name in remove_properties
    ]
    return replaced + added + removed


def pointer(name: str) -> str:
    """Return the RFC 6901 pointer to a key of the image."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


def _operation(verb: str, name: str, value: object) -> Operation:
    return {"op": verb, "path": pointer(name), "value": value}
