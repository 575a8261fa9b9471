"""The keys of cached reads; none can be made without an identity."""

import hashlib
from dataclasses import dataclass, field
from enum import Enum

from gateway.identity import Identity

KEY_PREFIX = "glance-gateway:2"


class ReadKind(Enum):
    """The kinds of reads that are cached."""

    IMAGE = "image"
    IMAGES = "images"
    TASKS = "tasks"
    STORES = "stores"
    SCHEMA = "schema"


@dataclass(frozen=True, slots=True)
class ReadKey:
    """The name of one read of one identity: equal for equal reads of it only.

    `subject` is what is read: an id, or everything a list depends on. `text`
    holds neither the token nor, in plain text, what was read.
    """

    identity: Identity
    kind: ReadKind
    subject: tuple[object, ...]
    text: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Derive the text."""
        digest = hashlib.sha256(repr(self.subject).encode()).hexdigest()
        text = f"{KEY_PREFIX}:{self.scope}:{self.kind.value}:{digest}"
        object.__setattr__(self, "text", text)

    @property
    def scope(self) -> str:
        """Return the name of whose read it is."""
        return self.identity.scope


def read_key(identity: Identity, kind: ReadKind, *subject: object) -> ReadKey:
    """Return the key of a read of the identity's."""
    return ReadKey(identity, kind, subject)
