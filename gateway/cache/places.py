"""The place of a topic's version in a table of fixed size.

The table does not grow with the number of images. Two topics with the same place
are invalidated together. Places come from a hash with a secret of the deployment,
so that nobody can choose an id that shares a place with another one. The topics
that every write invalidates have places that no hash yields. Each kind of topic has
a region of its own: names that callers choose freely, such as tokens that do not
exist, share no place with images.
"""

import hashlib
from collections.abc import Callable
from functools import lru_cache, partial

from gateway.cache.policy import ANYTHING, LISTS, topics_of_writes

SECRET_BYTES = 32
REGION_PLACES = 32_768
# By the prefix of a topic's name. The topic of a single read has none of these.
REGIONS = {"scope": 0, "image": 1, "written": 2}
READS_REGION = 3
FIXED_TOPICS = (LISTS, ANYTHING, *topics_of_writes((LISTS, ANYTHING)))
FIXED_PLACES = {
    topic: (READS_REGION + 1) * REGION_PLACES + number
    for number, topic in enumerate(FIXED_TOPICS)
}
PLACES = (READS_REGION + 1) * REGION_PLACES + len(FIXED_TOPICS)


class Places:
    """The places of topics under one secret.

    `of` returns a topic's place, 0 to PLACES - 1, the same in every process with
    this secret; `name` identifies the secret without revealing it.
    """

    def __init__(self, secret: bytes) -> None:
        """Hash with the secret."""
        self.secret = secret
        self.name = _digest(secret, "name", 8).hex()
        of = partial(_place, secret)
        self.of: Callable[[str], int] = lru_cache(maxsize=4096)(of)


def _place(secret: bytes, topic: str) -> int:
    fixed = FIXED_PLACES.get(topic)
    if fixed is not None:
        return fixed
    region = REGIONS.get(topic.partition(":")[0], READS_REGION)
    number = int.from_bytes(_digest(secret, topic, 4))
    return region * REGION_PLACES + number % REGION_PLACES


def _digest(secret: bytes, text: str, size: int) -> bytes:
    return hashlib.blake2b(text.encode(), key=secret, digest_size=size).digest()
