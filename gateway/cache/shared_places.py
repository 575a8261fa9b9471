"""The names of topic versions in a Valkey, under a secret that it keeps.

Replicas agree on places because they read the secret with whatever they read or
write. A secret that the server has lost is never set again: a new one takes its
place, which no version and no entry has seen, so that all of them are misses.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from functools import lru_cache

from aiocache import RedisCache

from gateway.cache.keys import KEY_PREFIX
from gateway.cache.places import SECRET_BYTES, Places

# How often to start anew where somebody else changes the secret meanwhile.
ATTEMPTS = 3
SECRET_KEY = f"{KEY_PREFIX}:secret"


class Names:
    """The names of topics' versions under one secret; `of` returns a topic's."""

    def __init__(self, secret: bytes) -> None:
        """Name places under the secret."""
        self.secret = secret
        places = Places(secret)
        prefix = f"{KEY_PREFIX}:stamp:{places.name}"

        def name_of(topic: str) -> str:
            return f"{prefix}:{places.of(topic)}"

        self.of: Callable[[str], str] = lru_cache(maxsize=4096)(name_of)


class SharedPlaces:
    """The secret that the users of one server agree on."""

    def __init__(self, cache: RedisCache) -> None:
        """Ask `cache` for the secret once it is needed."""
        self._cache = cache
        self._names: Names | None = None

    async def names(self) -> Names:
        """Return the names under the secret as this process last saw it."""
        if self._names is None:
            self._names = Names(await self._secret())
        return self._names

    def are_current(self, names: Names, secret: bytes | None) -> bool:
        """Tell whether the server's secret is that of the names.

        Where it is another one, `names` takes it up.
        """
        if secret == names.secret:
            return True
        if self._names is names:
            self._names = None
        return False

    async def rotate(self) -> None:
        """Set a new secret: no entry is true any longer, for any replica."""
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
