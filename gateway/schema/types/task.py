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


@strawberry.type(description="Work that Glance does on an image in the background.")
class Task:
    """A task of Glance; its source is a TaskRecord."""

    id: ID = strawberry.field(description="Glance's UUID of the task.")
    type: TaskType = resolved(
        from_key("type", partial(known, TaskType)), "What it does."
    )
    type_raw: str | None = resolved(
        meaning_of("type", text_or_json),
        "The word as Glance sent it, should `type` be `UNKNOWN`; null for none.",
    )
    status: TaskStatus = resolved(
        from_key("status", partial(known, TaskStatus)), "How far it has come."
    )
    status_raw: str | None = resolved(
        meaning_of("status", text_or_json),
        "The word as Glance sent it, should `status` be `UNKNOWN`; null for none.",
    )
    image_id: ID | None = resolved(
        meaning_of("image_id", text), "The image it works on."
    )
    owner: ID | None = resolved(
        meaning_of("owner", text), "The project that started it."
    )
    user_id: ID | None = resolved(
        meaning_of("user_id", text), "The user who started it."
    )
    request_id: ID | None = resolved(
        meaning_of("request_id", text),
        "The request that started it, as Glance's log knows it.",
    )
    input: Json | None = strawberry.field(description="What it was started with.")
    result: Json | None = strawberry.field(description="What it left; null until done.")
    message: str | None = resolved(
        meaning_of("message", text_or_json),
        "Progress such as `Copied 15 MiB`, or why it failed.",
    )
    expires_at: datetime | None = resolved(
        meaning_of("expires_at", moment),
        "When Glance may forget it; null while it runs.",
    )
    created_at: datetime | None = resolved(
        meaning_of("created_at", moment),
        "When it was asked for; null where Glance sent no time.",
    )
    updated_at: datetime | None = resolved(
        meaning_of("updated_at", moment),
        "When it last changed; null where Glance sent no time.",
    )
    deleted_at: datetime | None = resolved(
        meaning_of("deleted_at", moment),
        "When it was deleted; null while it is kept.",
    )
    deleted: bool = resolved(
        meaning_of("deleted", flag, default=False), "Whether it was deleted."
    )
