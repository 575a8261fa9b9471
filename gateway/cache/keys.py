"""The names of remembered reads: whose they are is in them by type."""

import hashlib
from dataclasses import dataclass
from enum import Enum

from gateway.identity import Identity

KEY_PREFIX = "glance-gateway:1"


class Kind(Enum):
    """What kind of read is remembered."""

    IMAGE = "image"
    IMAGES = "images"
    TASKS = "tasks"


@dataclass(frozen=True, slots=True)
class ReadKey:
    """The name of one read of one identity; made by `read_key` alone."""

    scope: str
    kind: Kind
    text: str


def read_key(identity: Identity, kind: Kind, *subject: object) -> ReadKey:
    """Return the key of a read: equal for equal reads of one identity only.

    `subject` is what is read: an id, or everything a list depends on. The key
    holds neither the token nor, in plain text, what was read.
    """
    digest = hashlib.sha256(repr(subject).encode()).hexdigest()
    text = f"{KEY_PREFIX}:{identity.scope}:{kind.value}:{digest}"
    return ReadKey(identity.scope, kind, text)
