"""The requests whose cost is measured."""

from dataclasses import dataclass

from tests.benchmark.stub_glance import image_id

TOKEN = "bench:bench:member,reader"
PAGES = 10

FIELDS = """id name status visibility owner protected hidden diskFormat
    containerFormat minDisk minRam size virtualSize checksum tags createdAt
    updatedAt self file schema"""
LIST = "{ images(first: %d) { nodes { %s } } }"
PAGE = (
    """query ($after: String) { images(first: 1000, after: $after) {
    nodes { %s } pageInfo { endCursor } } }"""
    % FIELDS
)
ONE = """{ image(id: "%s") {
    id name status visibility diskFormat minDisk size tags } }""" % image_id(0)
WITH_TASKS = """{ images(first: 25) { nodes {
    id name status tasks { id type status message createdAt } } } }"""


@dataclass(frozen=True)
class Load:
    """A document, repeated on some connections for some seconds a round.

    `is_remembered` sends it to the gateway whose cache is on.
    """

    name: str
    title: str
    document: str
    connections: int
    seconds: float
    is_remembered: bool = False


LOADS = {
    load.name: load
    for load in (
        Load("A", "1000 images, 20 fields", LIST % (1000, FIELDS), 2, 6),
        Load("B", "25 images, 20 fields", LIST % (25, FIELDS), 8, 2),
        Load("C", "one image, 8 fields", ONE, 8, 2),
        Load("D", "25 images with tasks", WITH_TASKS, 2, 4),
        Load("E", "as C, remembered", ONE, 8, 2, is_remembered=True),
        Load("F", "`__typename`", "{ __typename }", 8, 2),
    )
}
