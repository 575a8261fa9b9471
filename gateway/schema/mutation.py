"""The mutations."""

from dataclasses import dataclass
from typing import Annotated

import strawberry
from strawberry import ID, Parent

from gateway.context import Info
from gateway.glance.records import ImageRecord
from gateway.schema.changes import (
    CreateImageInput,
    DeleteImageInput,
    ImageTagInput,
    UpdateImageInput,
)
from gateway.schema.types.image import Image
from gateway.schema.types.resolved import resolved


@dataclass(frozen=True, slots=True)
class Written:
    """An image that was changed; None where Glance's answer did not show it."""

    image_id: str
    image: ImageRecord | None


async def _image(written: Parent[Written], info: Info) -> ImageRecord:
    if written.image is not None:
        return written.image
    return await info.context.catalog.get_image(info.context.caller, written.image_id)


@strawberry.type(
    description="The payload of a mutation that creates or changes an image."
)
class ImagePayload:
    """The answer of a mutation; its source is a Written."""

    image: Image = resolved(
        _image,
        (
            "The image after the mutation. An error below this field does"
            " not undo the mutation."
        ),
    )


@strawberry.type(description="The payload of a deletion.")
class DeletePayload:
    """The answer of a deletion."""

    deleted_id: ID | None = strawberry.field(description="The id of the deleted image.")


Payload = ImagePayload | None


@strawberry.type(
    description=(
        "Operations that change images. The mutations of a request"
        " run one after the other. One that fails is null with an"
        " error; those behind it still run."
    )
)
class Mutation:
    """A table of contents."""

    @strawberry.mutation(
        graphql_type=Payload,
        description=(
            "Create an image without data. The data is uploaded or"
            " imported through Glance's own API."
        ),
    )
    async def create_image(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            CreateImageInput, strawberry.argument(description="The image.")
        ],
    ) -> Written:
        """Create the image."""
        body = input.to_glance()
        image = await info.context.catalog.create_image(info.context.caller, body)
        return Written(image["id"], image)

    @strawberry.mutation(
        graphql_type=Payload,
        description=(
            "Change an image. Fields that are left out keep their values."
            " An input without changes sends nothing to Glance but the"
            " read of `image`."
        ),
    )
    async def update_image(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            UpdateImageInput,
            strawberry.argument(description="The image and its changes."),
        ],
    ) -> Written:
        """Patch the image."""
        patch, catalog = input.to_glance(), info.context.catalog
        if not patch:
            return Written(input.id, None)
        image = await catalog.update_image(info.context.caller, input.id, patch)
        return Written(input.id, image)

    @strawberry.mutation(
        graphql_type=DeletePayload | None,
        description="Delete an image and its data. This cannot be undone.",
    )
    async def delete_image(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            DeleteImageInput, strawberry.argument(description="The image.")
        ],
    ) -> DeletePayload:
        """Delete the image."""
        await info.context.catalog.delete_image(info.context.caller, input.id)
        return DeletePayload(deleted_id=input.id)

    @strawberry.mutation(
        graphql_type=Payload,
        description=(
            "Add a tag. Succeeds if the image already has it. A tag with"
            " accents or slashes is added by reading and replacing all"
            " tags, because Glance's route for tags does not support it:"
            " tags that others change at the same moment can be lost."
        ),
    )
    async def add_tag(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            ImageTagInput, strawberry.argument(description="The image and the tag.")
        ],
    ) -> Written:
        """Add the tag."""
        image = await info.context.catalog.add_tag(
            info.context.caller, input.id, input.tag
        )
        return Written(input.id, image)

    @strawberry.mutation(
        graphql_type=Payload,
        description=(
            "Remove a tag. `NOT_FOUND` if the image does not have it."
            " Works like `addTag`."
        ),
    )
    async def remove_tag(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            ImageTagInput, strawberry.argument(description="The image and the tag.")
        ],
    ) -> Written:
        """Remove the tag."""
        image = await info.context.catalog.remove_tag(
            info.context.caller, input.id, input.tag
        )
        return Written(input.id, image)
