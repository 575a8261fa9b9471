"""Sample images for the demo: two projects and all that images can be.

Their ids follow from their names, so that a folder that is kept gets each one
once.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import NAMESPACE_DNS, uuid5

ALICE = "alice:proj-a:member,reader"
BOB = "bob:proj-b:member,reader"
ADMIN = "root:admin:admin,manager,member,reader"

CLOSED_ADDRESS = "http://127.0.0.1:80/nothing-here.qcow2"


@dataclass(frozen=True)
class Sample:
    """An image to register, and what then happens to it.

    `upload` is stored at once, `stage` is imported, `download` is an address
    that Glance imports from; `members` says what each project answers.
    """

    token: str
    name: str
    body: Mapping[str, object]
    upload: bytes | None = None
    stage: bytes | None = None
    download: str | None = None
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def image_id(self) -> str:
        """Return the UUID that follows from the name."""
        return str(uuid5(NAMESPACE_DNS, f"{self.name}.glance-gateway.example"))


def _body(visibility: str, **attributes: object) -> Mapping[str, object]:
    formats = {"disk_format": "qcow2", "container_format": "bare"}
    return {"visibility": visibility, **formats, **attributes}


def _releases() -> Iterator[Sample]:
    """Yield many alike, so that there is more than one page."""
    for release in range(18, 27):
        for architecture in ("x86_64", "aarch64"):
            body = _body(
                "private",
                tags=["ubuntu", architecture],
                architecture=architecture,
                os_distro="ubuntu",
                os_version=f"{release}.04",
                min_disk=10,
                min_ram=512,
            )
            yield Sample(ALICE, f"ubuntu-{release}.04-{architecture}", body)


SAMPLES = (
    *_releases(),
    Sample(
        ADMIN,
        "cirros-0.6.3",
        _body(
            "public",
            tags=["test"],
            disk_format="raw",
            os_distro="cirros",
            hw_rng_model="virtio",
            hw_disk_bus="virtio",
        ),
        upload=b"cirros " * 2000,
    ),
    Sample(ADMIN, "debian-13", _body("public", tags=["debian", "lts"], protected=True)),
    Sample(ADMIN, "debian-11", _body("public", tags=["debian", "eol"], os_hidden=True)),
    Sample(BOB, "nginx-appliance", _body("community", tags=["appliance"], app="nginx")),
    Sample(
        BOB,
        "build-runner",
        _body("shared", tags=["ci"]),
        members={"proj-a": "accepted"},
    ),
    Sample(
        BOB, "gpu-runner", _body("shared", tags=["ci"]), members={"proj-a": "pending"}
    ),
    Sample(BOB, "payroll", _body("private", tags=["internal"])),
    Sample(ALICE, "database-golden", _body("shared"), members={"proj-b": "accepted"}),
    Sample(
        ALICE,
        "windows-2025",
        _body("private", tags=["windows", "größe/xl"], os_type="windows", min_ram=4096),
    ),
    Sample(
        ALICE,
        "imported",
        _body("private", tags=["import"], disk_format="raw"),
        stage=b"disk " * 4000,
    ),
    Sample(
        ALICE,
        "import-failed",
        _body("private", tags=["import"]),
        download=CLOSED_ADDRESS,
    ),
)
