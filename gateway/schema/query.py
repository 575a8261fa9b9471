"""The queries."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import strawberry
from strawberry import ID, UNSET

from gateway.context import Info
from gateway.glance.errors import MalformedRecord
from gateway.glance.records import ImageRecord, StoreRecord, with_errors
from gateway.schema.connection import (
    ImageConnection,
    ImageList,
    image_list,
    position_at,
    wanted_images,
)
from gateway.schema.inputs import ImageFilter, ImageOrder, image_query
from gateway.schema.types.enums import JsonSchemaName
from gateway.schema.types.image import Image
from gateway.schema.types.scalars import Json
from gateway.schema.types.store import Store

ImageId = Annotated[ID, strawberry.argument(description="The image's id.")]
First = Annotated[
    int,
    strawberry.argument(
        description=(
            "The number of images, 0 to 1000. Costs one call to Glance"
            " for each of Glance's pages, 1000 images by default. 0 only"
            " tells whether there are any."
        )
    ),
]
After = Annotated[
    str | None,
    strawberry.argument(
        description=(
            "Continue after this cursor of a list with the same filter"
            " and order. A cursor cannot be used once its image is"
            " deleted."
        )
    ),
]
Filter = Annotated[
    ImageFilter | None, strawberry.argument(description="Which images to return.")
]
OrderBy = Annotated[
    list[ImageOrder] | None,
    strawberry.argument(
        description=("Sort keys, the most significant first. By default newest first.")
    ),
]


SchemaName = Annotated[
    JsonSchemaName, strawberry.argument(description="Which JSON schema.")
]


@strawberry.type(
    description="Operations that read images and the cloud's configuration."
)
class Query:
    """A table of contents."""

    @strawberry.field(
        graphql_type=Image | None,
        description=(
            "An image by its id. Null if there is none that the token may"
            " see (Glance responds with 404)."
        ),
    )
    async def image(self, info: Info, id: ImageId) -> ImageRecord | None:  # noqa: A002
        """Return the image."""
        return await info.context.loaders.image.load(id)

    @strawberry.field(
        graphql_type=ImageConnection,
        description="The images that the token may see, page by page.",
    )
    async def images(
        self,
        info: Info,
        first: First = 25,
        after: After = UNSET,
        filter: Filter = UNSET,  # noqa: A002
        order_by: OrderBy = UNSET,
    ) -> ImageList:
        """Return a part of the list."""
        query = image_query(filter or None, order_by or ())
        position = position_at(None if after is UNSET else after, query)
        context = info.context
        page = await context.catalog.list_images(
            context.caller, query, wanted_images(first), position
        )
        return image_list(query, page, first=first, after=position)

    @strawberry.field(
        graphql_type=list[Store | None],
        description=(
            "The cloud's stores. Empty if it has only one. A malformed"
            " store is null, with an error."
        ),
    )
    async def stores(self, info: Info) -> Sequence[StoreRecord | MalformedRecord]:
        """Return the stores."""
        loaders = info.context.loaders
        stores = await loaders.stores.load(None)
        loaders.store.prime_many({one["id"]: one for one in stores if "id" in one})
        return with_errors(stores, "a store")

    @strawberry.field(
        graphql_type=Json | None,
        description=(
            "One of Glance's JSON schemas, unchanged. The schema of an"
            " image includes the operator's own property definitions."
        ),
    )
    async def json_schema(self, info: Info, of: SchemaName) -> Mapping[str, object]:
        """Return the schema."""
        context = info.context
        return await context.catalog.get_json_schema(context.caller, str(of.value))
