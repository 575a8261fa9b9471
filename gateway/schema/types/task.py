"""A task of an image: an import, a copy between stores."""

from datetime import datetime

import strawberry
from strawberry import ID, Parent

from gateway.glance.records import TaskRecord
from gateway.schema.types.derived import derived, resolved
from gateway.schema.types.enums import TaskStatus, TaskType, known
from gateway.schema.types.scalars import Json


@derived
def _type(task: Parent[TaskRecord]) -> TaskType | None:
    return known(TaskType, task.get("type"))


@derived
def _status(task: Parent[TaskRecord]) -> TaskStatus | None:
    return known(TaskStatus, task.get("status"))


@derived
def _type_raw(task: Parent[TaskRecord]) -> str | None:
    return task.get("type")


@derived
def _status_raw(task: Parent[TaskRecord]) -> str | None:
    return task.get("status")


@derived
def _deleted(task: Parent[TaskRecord]) -> bool:
    return task.get("deleted", False)


@strawberry.type(description="Work that Glance does on an image in the background.")
class Task:
    """A task of Glance; its source is a TaskRecord."""

    id: ID = strawberry.field(description="Glance's UUID of the task.")
    type: TaskType = resolved(_type, "What it does.")
    type_raw: str = resolved(
        _type_raw,
        "The word as Glance sent it, should `type` be `UNKNOWN`.",
    )
    status: TaskStatus = resolved(_status, "How far it has come.")
    status_raw: str = resolved(
        _status_raw,
        "The word as Glance sent it, should `status` be `UNKNOWN`.",
    )
    image_id: ID | None = strawberry.field(description="The image it works on.")
    owner: ID | None = strawberry.field(description="The project that started it.")
    user_id: ID | None = strawberry.field(description="The user who started it.")
    request_id: ID | None = strawberry.field(
        description="The request that started it, as Glance's log knows it."
    )
    input: Json | None = strawberry.field(description="What it was started with.")
    result: Json | None = strawberry.field(description="What it left; null until done.")
    message: str | None = strawberry.field(
        description="Progress such as `Copied 15 MiB`, or why it failed."
    )
    expires_at: datetime | None = strawberry.field(
        description="When Glance may forget it; null while it runs."
    )
    created_at: datetime = strawberry.field(description="When it was asked for.")
    updated_at: datetime = strawberry.field(description="When it last changed.")
    deleted_at: datetime | None = strawberry.field(
        description="When it was deleted; null while it is kept."
    )
    deleted: bool = resolved(_deleted, "Whether it was deleted.")
