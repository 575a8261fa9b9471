"""What is cached, how long, and what each write invalidates. Pure.

A cached read depends on topics. A write invalidates topics, and with them every
read that depends on one of them, of all identities.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

LISTS = "lists"
# Every write invalidates it: whoever waits for one reads a single version.
ANYTHING = "anything"
TOPIC_ID_CHARACTERS = 256
# Tuples: a word of Glance that is no text is in neither.
FINAL = ("active", "deactivated", "killed", "deleted")
RUNNING = ("pending", "processing")


class Use(Enum):
    """How a cache entry may be used."""

    FRESH = "shown"
    REVALIDATED = "shown, and asked for again"
    STAND_IN = "shown should Glance be unable to answer"
    NONE = "nothing"


@dataclass(frozen=True, slots=True)
class Freshness:
    """For how many seconds a read is fresh; 0: it is not cached.

    After that it is stale: for `revalidate_seconds` it is served while it is
    revalidated, and for `outage_seconds` it is served in an outage of Glance.
    """

    images_seconds: float = 5
    image_seconds: float = 10
    moving_image_seconds: float = 1
    tasks_seconds: float = 10
    running_tasks_seconds: float = 1
    stores_seconds: float = 300
    schemas_seconds: float = 300
    revalidate_seconds: float = 0
    outage_seconds: float = 60

    def of_image(self, status: str | None) -> float:
        """Return the seconds for an image of this status, None for no image.

        A status that is not known may change at any time.
        """
        is_final = status in FINAL
        return self.image_seconds if is_final else self.moving_image_seconds

    def of_tasks(self, statuses: Iterable[str | None]) -> float:
        """Return the seconds for tasks of these statuses."""
        is_running = any(status in RUNNING for status in statuses)
        return self.running_tasks_seconds if is_running else self.tasks_seconds

    def use(self, age_seconds: float, fresh_seconds: float) -> Use:
        """Return what an answer of this age is good for."""
        overdue_seconds = age_seconds - fresh_seconds
        if overdue_seconds < 0:
            return Use.FRESH
        if overdue_seconds < self.revalidate_seconds:
            return Use.REVALIDATED
        return Use.STAND_IN if overdue_seconds < self.outage_seconds else Use.NONE

    def use_in_doubt(self, age_seconds: float, fresh_seconds: float) -> Use:
        """Return what a doubtful entry of this age may be used for."""
        overdue_seconds = max(age_seconds - fresh_seconds, 0)
        return Use.STAND_IN if overdue_seconds < self.outage_seconds else Use.NONE

    def lifetime_seconds(self, fresh_seconds: float) -> float:
        """Return for how long an answer may be good for anything."""
        return fresh_seconds + max(self.revalidate_seconds, self.outage_seconds)


def image_topic(image_id: str) -> str:
    """Return an image's topic, the same for every spelling of its id.

    Glance's database may ignore the case of ids. An id that is too long for any
    image is cut off, so that topics have a bounded length.
    """
    return f"image:{image_id[:TOPIC_ID_CHARACTERS].lower()}"


def topics_of(scope: str, image_id: str | None = None) -> tuple[str, ...]:
    """Return the topics that a read depends on: of an image, or of a list."""
    topic = LISTS if image_id is None else image_topic(image_id)
    return f"scope:{scope}", topic


def topics_of_cloud(scope: str) -> tuple[str, ...]:
    """Return the topics of what operators set: no write of ours changes it."""
    return (f"scope:{scope}",)


def topics_written(image_id: str) -> tuple[str, ...]:
    """Return the topics that any write of an image renews.

    Creating one renews its own topic, too: that there is none may be known.
    """
    return LISTS, image_topic(image_id)


def topics_of_writes(topics: Iterable[str]) -> tuple[str, ...]:
    """Return the topics that just writes of these renew.

    The topics themselves are renewed, too, when somebody who watches finds a
    change: by them, those who watch would wake each other.
    """
    return tuple([f"written:{topic}" for topic in topics])


def topics_told(topics: Iterable[str]) -> tuple[str, ...]:
    """Return the topics, and those by which subscribers notice writes of them."""
    written = tuple(topics)
    return *written, *topics_of_writes((*written, ANYTHING))


def topics_revoked(scope: str) -> tuple[str, ...]:
    """Return the topics that a 401 or 403 renews: all that the identity has read."""
    return (f"scope:{scope}",)
