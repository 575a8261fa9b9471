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


_GONE = "Null if the store no longer exists."
_COST = "Below an image it costs one call to Glance for all of a request."


@strawberry.type(
    description="A place where the cloud keeps image data (a Glance store)."
)
class Store:
    """A store of Glance; its source is a StoreRecord."""

    id: ID = strawberry.field(description="The store's name, chosen by the operator.")
    description: str | None = resolved(
        _description,
        f"The operator's description. Null if there is none. {_COST}",
    )
    is_default: bool | None = resolved(
        _is_default,
        f"Whether new data goes to this store by default. {_GONE} {_COST}",
    )
    is_read_only: bool | None = resolved(
        _is_read_only,
        f"Whether no data can be written to this store. {_GONE} {_COST}",
    )
