"""A task of an image: an import, a copy between stores."""

from datetime import datetime
from functools import partial

import strawberry
from strawberry import ID

from gateway.execution.derived import from_key, meaning_of
from gateway.glance.values import flag, text, text_or_json
from gateway.schema.types.enums import TaskStatus, TaskType, known
from gateway.schema.types.resolved import resolved
from gateway.schema.types.scalars import Json, moment


@strawberry.type(
    description="Work that Glance does in the background, such as an import."
)
class Task:
    """A task of Glance; its source is a TaskRecord."""

    id: ID = strawberry.field(description="The task's UUID.")
    type: TaskType = resolved(
        from_key("type", partial(known, TaskType)), "What the task does."
    )
    type_raw: str | None = resolved(
        meaning_of("type", text_or_json),
        (
            "The type as Glance sent it. Needed only if `type` is"
            " `UNKNOWN`. Null if Glance sent none."
        ),
    )
    status: TaskStatus = resolved(
        from_key("status", partial(known, TaskStatus)), "The state of the task."
    )
    status_raw: str | None = resolved(
        meaning_of("status", text_or_json),
        (
            "The status as Glance sent it. Needed only if `status` is"
            " `UNKNOWN`. Null if Glance sent none."
        ),
    )
    image_id: ID | None = resolved(
        meaning_of("image_id", text), "The id of the image that the task works on."
    )
    owner: ID | None = resolved(
        meaning_of("owner", text), "The id of the project that started the task."
    )
    user_id: ID | None = resolved(
        meaning_of("user_id", text), "The id of the user who started the task."
    )
    request_id: ID | None = resolved(
        meaning_of("request_id", text),
        ("The id, in Glance's log, of the request that started the task."),
    )
    input: Json | None = strawberry.field(description="What the task was started with.")
    result: Json | None = strawberry.field(
        description="What the task has produced. Null until it has ended."
    )
    message: str | None = resolved(
        meaning_of("message", text_or_json),
        ("Progress, for example `Copied 15 MiB`, or the reason of a failure."),
    )
    expires_at: datetime | None = resolved(
        meaning_of("expires_at", moment),
        "When Glance may delete the task. Null while it runs.",
    )
    created_at: datetime | None = resolved(
        meaning_of("created_at", moment),
        "When the task was created. Null if Glance sent no time.",
    )
    updated_at: datetime | None = resolved(
        meaning_of("updated_at", moment),
        "When the task last changed. Null if Glance sent no time.",
    )
    deleted_at: datetime | None = resolved(
        meaning_of("deleted_at", moment),
        "When the task was deleted. Null if it is not deleted.",
    )
    deleted: bool = resolved(
        meaning_of("deleted", flag, default=False), "Whether the task is deleted."
    )
