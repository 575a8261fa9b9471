"""How the samples get into Glance, by its own routes.

httpx comes with the demo's extra: other commands do without this module.
"""

import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

import httpx

from gateway.demo.samples import SAMPLES, Sample
from gateway.listening import ServiceFailed
from gateway.stop_signals import held_signals

CALL_SECONDS = 30
IMPORT_SECONDS = 60
POLL_SECONDS = 0.1


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
