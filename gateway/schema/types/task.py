"""A task of an image: an import, a copy between stores."""

from datetime import datetime
from functools import partial

import strawberry
from strawberry import ID

from gateway.execution.derived import from_key
from gateway.schema.types.enums import TaskStatus, TaskType, known
from gateway.schema.types.resolved import resolved
from gateway.schema.types.scalars import Json


@strawberry.type(description="Work that Glance does on an image in the background.")
class Task:
    """A task of Glance; its source is a TaskRecord."""

    id: ID = strawberry.field(description="Glance's UUID of the task.")
    type: TaskType = resolved(
        from_key("type", partial(known, TaskType)), "What it does."
    )
    type_raw: str = resolved(
        from_key("type"),
        "The word as Glance sent it, should `type` be `UNKNOWN`.",
    )
    status: TaskStatus = resolved(
        from_key("status", partial(known, TaskStatus)), "How far it has come."
    )
    status_raw: str = resolved(
        from_key("status"),
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
    deleted: bool = resolved(
        from_key("deleted", default=False), "Whether it was deleted."
    )
