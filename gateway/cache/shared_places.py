"""The names of topic versions in Valkey, derived from a secret that Valkey holds.

Replicas agree on the names because each of their reads and writes reads the secret,
too. When Valkey has lost the secret, it gets a new one: then no version has its
old name, and all entries are misses.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from aiocache import RedisCache

from gateway.cache.keys import KEY_PREFIX
from gateway.cache.places import SECRET_BYTES, Places

# How often to try while other replicas change the secret.
ATTEMPTS = 3
SECRET_KEY = f"{KEY_PREFIX}:secret"


class Names:
    """The names of topic versions under one secret; `of` returns that of a topic."""

    def __init__(self, secret: bytes) -> None:
        """Derive the names from the secret."""
        self.secret = secret
        places = Places(secret)
        prefix = f"{KEY_PREFIX}:version:{places.name}"

        def name_of(topic: str) -> str:
            return f"{prefix}:{places.of(topic)}"

        self.of: Callable[[str], str] = lru_cache(maxsize=4096)(name_of)


class SharedPlaces:
    """The secret that all replicas with one Valkey share."""

    def __init__(self, cache: RedisCache) -> None:
        """Read the secret from `cache` once it is needed."""
        self._cache = cache
        self._names: Names | None = None

    async def names(self) -> Names:
        """Return the names under the secret as this process last saw it."""
        if self._names is None:
            self._names = Names(await self._secret())
        return self._names

    def are_current(self, names: Names, secret: bytes | None) -> bool:
        """Return whether the server's secret is that of the names.

        If it is not, the next call of `names` reads the new one.
        """
        if secret == names.secret:
            return True
        if self._names is names:
            self._names = None
        return False

    async def rotate(self) -> None:
        """Set a new secret, which invalidates all entries for all replicas."""
        await self._cache.set(SECRET_KEY, os.urandom(SECRET_BYTES))
        self._names = None

    async def _secret(self) -> bytes:
        new = os.urandom(SECRET_BYTES)
        with suppress(ValueError):
            await self._cache.add(SECRET_KEY, new)
        secret: bytes | None = await self._cache.get(SECRET_KEY)
        if secret is not None and len(secret) == SECRET_BYTES:
            return secret
        await self._cache.set(SECRET_KEY, new)
        return new
