"""A new primary of Valkey begins with an empty cache.

Replication is asynchronous: a replica that becomes the primary may lack the last
writes that the primary before has confirmed, and with them invalidations. So does a
server that is started again from a file. Entries that were invalidated would be
valid again.
"""

import os
import re

from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ResponseError

from gateway.cache.keys import KEY_PREFIX
from gateway.cache.places import SECRET_BYTES
from gateway.cache.shared_places import SECRET_KEY
from gateway.shared_server import ask

# Holds the replication id that the primary had when its secret was last set here.
PRIMARY_KEY = f"{KEY_PREFIX}:primary"

_REPLICATION_ID = re.compile(rb"^master_replid:([0-9a-f]+)", re.MULTILINE)


class Primaries:
    """Notices a connection to another primary than the one before.

    A primary has a replication id of its own, which it gets when it is started or
    promoted. Some servers change it at other times: then the cache is emptied for
    nothing.
    """

    def __init__(self) -> None:
        """Know no primary yet."""
        self._known: bytes | None = None

    async def prepare(self, connection: AbstractConnection) -> bool:
        """Set a new secret if the connection leads to another primary.

        That invalidates all entries, for all replicas. Returns whether this process
        knew another primary. A server that does not tell its id counts as the same.
        """
        primary = await _replication_id(connection)
        if primary is None:
            return False
        (stored,) = await ask(connection, ("GET", PRIMARY_KEY))
        is_other = self._known not in (None, primary)
        if is_other or stored != primary:
            secret = os.urandom(SECRET_BYTES)
            await ask(connection, ("MSET", SECRET_KEY, secret, PRIMARY_KEY, primary))
        self._known = primary
        return is_other


async def _replication_id(connection: AbstractConnection) -> bytes | None:
    try:
        (info,) = await ask(connection, ("INFO", "replication"))
    except ResponseError:
        return None
    found = _REPLICATION_ID.search(info) if isinstance(info, bytes) else None
    return None if found is None else found[1]
