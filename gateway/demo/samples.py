"""Sample images for the demo: two projects and all that images can be.

Their ids follow from their names, so that a folder that is kept gets each one
once.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from uuid import NAMESPACE_DNS, uuid5

import httpx

from gateway.demo.glance import ServiceFailed
from gateway.stop_signals import held_signals

ALICE = "alice:proj-a:member,reader"
BOB = "bob:proj-b:member,reader"
ADMIN = "root:admin:admin,manager,member,reader"

CLOSED_ADDRESS = "http://127.0.0.1:80/nothing-here.qcow2"
CALL_SECONDS = 30
IMPORT_SECONDS = 60
POLL_SECONDS = 0.1


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


def load_samples(glance_url: str, progress: Callable[[int, int], None]) -> None:
    """Load the samples that are not there yet; `progress(done, total)`.

    Raises ServiceFailed where Glance refuses one or does not answer.
    """
    try:
        with httpx.Client(base_url=f"{glance_url}/v2", timeout=CALL_SECONDS) as glance:
            for done, sample in enumerate(SAMPLES, start=1):
                # In a folder that is kept, half a sample would stay half.
                with held_signals():
                    _load(glance, sample)
                progress(done, len(SAMPLES))
    except httpx.HTTPError as error:
        reason = str(error).partition("\n")[0]
        message = f"Glance did not take the sample images: {reason}"
        raise ServiceFailed(message) from error


def _load(glance: httpx.Client, sample: Sample) -> None:
    headers = {"X-Auth-Token": sample.token}
    body = {"id": sample.image_id, "name": sample.name, **sample.body}
    created = glance.post("/images", json=body, headers=headers)
    if created.status_code == HTTPStatus.CONFLICT:
        return
    created.raise_for_status()
    if sample.upload is not None:
        _put(glance, sample, "file", sample.upload)
    if sample.stage is not None:
        _put(glance, sample, "stage", sample.stage)
        _import(glance, sample, {"name": "glance-direct"})
    if sample.download is not None:
        _import(glance, sample, {"name": "web-download", "uri": sample.download})
    for project, status in sample.members.items():
        _share(glance, sample, project, status)


def _put(glance: httpx.Client, sample: Sample, part: str, data: bytes) -> None:
    headers = {"X-Auth-Token": sample.token, "Content-Type": "application/octet-stream"}
    path = f"/images/{sample.image_id}/{part}"
    glance.put(path, content=data, headers=headers).raise_for_status()


def _import(glance: httpx.Client, sample: Sample, method: Mapping[str, str]) -> None:
    """Import, and wait until the task has ended, well or badly."""
    path, headers = f"/images/{sample.image_id}", {"X-Auth-Token": sample.token}
    asked = glance.post(f"{path}/import", json={"method": method}, headers=headers)
    asked.raise_for_status()
    give_up_at = time.monotonic() + IMPORT_SECONDS
    while time.monotonic() < give_up_at:
        tasks = glance.get(f"{path}/tasks", headers=headers).json()["tasks"]
        if tasks and tasks[-1]["status"] in {"success", "failure"}:
            return
        time.sleep(POLL_SECONDS)
    message = f"The import of {sample.name} has not ended in {IMPORT_SECONDS} s."
    raise ServiceFailed(message)


def _share(glance: httpx.Client, sample: Sample, project: str, status: str) -> None:
    path = f"/images/{sample.image_id}/members"
    owner, member = sample.token, f"demo:{project}:member,reader"
    invited = glance.post(
        path, json={"member": project}, headers={"X-Auth-Token": owner}
    )
    invited.raise_for_status()
    if status != "pending":
        answered = glance.put(
            f"{path}/{project}",
            json={"status": status},
            headers={"X-Auth-Token": member},
        )
        answered.raise_for_status()
