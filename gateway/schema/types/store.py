"""A store: a place where the cloud keeps image data."""

import strawberry
from strawberry import ID, Parent

from gateway.context import Info
from gateway.glance.records import StoreRecord
from gateway.glance.values import flag, read, text
from gateway.schema.types.resolved import resolved


async def _whole(store: StoreRecord, info: Info) -> StoreRecord | None:
    """Return what Glance says of the store; an image knows its id alone."""
    return await info.context.loaders.store.load(store["id"])


async def _description(store: Parent[StoreRecord], info: Info) -> str | None:
    whole = await _whole(store, info)
    return read(whole, "description", text) if whole else None


async def _is_default(store: Parent[StoreRecord], info: Info) -> bool | None:
    whole = await _whole(store, info)
    return read(whole, "default", flag) if whole else None


async def _is_read_only(store: Parent[StoreRecord], info: Info) -> bool | None:
    whole = await _whole(store, info)
    return read(whole, "read-only", flag) if whole else None


_COST = "Below an image it costs one call to Glance for all of a request."


@strawberry.type(description="A place where the cloud keeps image data.")
class Store:
    """A store of Glance; its source is a StoreRecord."""

    id: ID = strawberry.field(description="The operator's name for the store.")
    description: str | None = resolved(
        _description,
        f"What the operator says of it; null for a store that is gone. {_COST}",
    )
    is_default: bool | None = resolved(
        _is_default,
        f"Whether data goes there unless asked otherwise; null as above. {_COST}",
    )
    is_read_only: bool | None = resolved(
        _is_read_only,
        f"Whether no data can be sent there; null as above. {_COST}",
    )
