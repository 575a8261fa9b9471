"""GraphQL's names for Glance's."""


def field_name(key: str) -> str:
    """Return the name of the field that shows an attribute of an image."""
    head, *tail = key.removeprefix("os_").split("_")
    return head + "".join(word.capitalize() for word in tail)
