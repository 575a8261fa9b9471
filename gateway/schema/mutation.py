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


@strawberry.type(description="The image that a mutation changed.")
class ImagePayload:
    """The answer of a mutation; its source is a Written."""

    image: Image = resolved(
        _image,
        (
            "The image as Glance has it afterwards. An error below this field does"
            " not undo the change."
        ),
    )


@strawberry.type(description="What a mutation deleted.")
class DeletePayload:
    """The answer of a deletion."""

    deleted_id: ID | None = strawberry.field(description="What is no longer there.")


Payload = ImagePayload | None


@strawberry.type(
    description=(
        "What can be changed. Mutations of one request run one after the other; one"
        " that fails is null with an error, and the next ones still run."
    )
)
class Mutation:
    """A table of contents."""

    @strawberry.mutation(
        graphql_type=Payload,
        description="Register an image; its data is to be uploaded or imported.",
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
            "Change an image: only what is given, as the smallest JSON patch. An"
            " update that changes nothing patches nothing; `image` is then read."
        ),
    )
    async def update_image(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            UpdateImageInput, strawberry.argument(description="The changes.")
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
        description="Delete an image and its data, for good.",
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
            "Add a tag; a tag that is there stays. Tags that Glance's tag route"
            " can't carry (accents, slashes) are written by reading and replacing"
            " all tags: one that is changed meanwhile by others is lost."
        ),
    )
    async def add_tag(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            ImageTagInput, strawberry.argument(description="Image and tag.")
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
            "Remove a tag; one that is not there: `NOT_FOUND`. Written as by `addTag`."
        ),
    )
    async def remove_tag(
        self,
        info: Info,
        input: Annotated[  # noqa: A002
            ImageTagInput, strawberry.argument(description="Image and tag.")
        ],
    ) -> Written:
        """Remove the tag."""
        image = await info.context.catalog.remove_tag(
            info.context.caller, input.id, input.tag
        )
        return Written(input.id, image)
