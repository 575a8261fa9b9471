"""Words of Glance that are closed sets, with UNKNOWN where they may grow."""

from enum import Enum
from typing import TypeVar

import strawberry

Word = TypeVar("Word", bound=Enum)

_NEWER = (
    "A value that this schema does not know, or no value. The raw"
    " field beside it has what Glance sent."
)


@strawberry.enum(description="The status of an image and its data.")
class ImageStatus(Enum):
    """Source: glance.api.v2.images.get_base_properties."""

    QUEUED = strawberry.enum_value(
        "queued", description="The image has been created. There is no data yet."
    )
    SAVING = strawberry.enum_value("saving", description="Data is being uploaded.")
    UPLOADING = strawberry.enum_value(
        "uploading",
        description=("Data is being uploaded to a staging area, to be imported later."),
    )
    IMPORTING = strawberry.enum_value(
        "importing", description="Data is being imported."
    )
    ACTIVE = strawberry.enum_value("active", description="The image is ready for use.")
    DEACTIVATED = strawberry.enum_value(
        "deactivated", description="Only administrators can download the data."
    )
    KILLED = strawberry.enum_value(
        "killed", description="Storing the data failed. It cannot be downloaded."
    )
    DELETED = strawberry.enum_value("deleted", description="The image is deleted.")
    PENDING_DELETE = strawberry.enum_value(
        "pending_delete",
        description="The image is deleted. Its data will be removed later.",
    )
    UNKNOWN = strawberry.enum_value("unknown", description=_NEWER)


@strawberry.enum(description="Who can see an image.")
class ImageVisibility(Enum):
    """Source: glance.api.v2.images.get_base_properties."""

    PUBLIC = strawberry.enum_value(
        "public", description="Everybody. The image is in everybody's lists."
    )
    COMMUNITY = strawberry.enum_value(
        "community",
        description="Everybody, but it is only in lists of community images.",
    )
    SHARED = strawberry.enum_value(
        "shared",
        description=(
            "The owner, and the projects that it is shared with (its members)."
        ),
    )
    PRIVATE = strawberry.enum_value("private", description="Only the owner.")
    UNKNOWN = strawberry.enum_value("unknown", description=_NEWER)


@strawberry.enum(description="The visibilities that a list can be filtered by.")
class VisibilityFilter(Enum):
    """The words of Glance's `visibility` parameter."""

    PUBLIC = strawberry.enum_value("public", description="Public images.")
    COMMUNITY = strawberry.enum_value(
        "community", description="Community images of all projects."
    )
    SHARED = strawberry.enum_value(
        "shared",
        description=(
            "Shared images: the project's own, and those that others share with it."
        ),
    )
    PRIVATE = strawberry.enum_value("private", description="Private images.")
    ALL = strawberry.enum_value(
        "all",
        description=(
            "All images that the token may see, including other projects'"
            " community images."
        ),
    )


@strawberry.enum(
    description=("What a project has decided about images that others share with it.")
)
class MemberStatusFilter(Enum):
    """The words of Glance's `member_status` parameter."""

    PENDING = strawberry.enum_value("pending", description="Not decided yet.")
    ACCEPTED = strawberry.enum_value(
        "accepted", description="Accepted. This is the default."
    )
    REJECTED = strawberry.enum_value("rejected", description="Rejected.")
    ALL = strawberry.enum_value("all", description="Any of these.")


@strawberry.enum(description="The state of a task.")
class TaskStatus(Enum):
    """Source: glance.domain.Task."""

    PENDING = strawberry.enum_value(
        "pending", description="The task has not started yet."
    )
    PROCESSING = strawberry.enum_value("processing", description="The task is running.")
    SUCCESS = strawberry.enum_value("success", description="The task has succeeded.")
    FAILURE = strawberry.enum_value(
        "failure", description="The task has failed. `message` has the reason."
    )
    UNKNOWN = strawberry.enum_value("unknown", description=_NEWER)


@strawberry.enum(description="What a task does.")
class TaskType(Enum):
    """Source: glance.domain.Task."""

    IMPORT = strawberry.enum_value(
        "import",
        description="An import that was requested through Glance's old task API.",
    )
    API_IMAGE_IMPORT = strawberry.enum_value(
        "api_image_import",
        description="An import, or a copy from one store to another.",
    )
    LOCATION_IMPORT = strawberry.enum_value(
        "location_import",
        description="An import of data that was added by its location.",
    )
    UNKNOWN = strawberry.enum_value("unknown", description=_NEWER)


@strawberry.enum(description="What can happen to an image.")
class ImageEventKind(Enum):
    """Source: gateway.subscriptions.changes.ChangeKind, by its names."""

    SNAPSHOT = strawberry.enum_value(
        "snapshot",
        description=(
            "Nothing has changed: the state at the beginning of the"
            " subscription, or the last known state during an outage."
        ),
    )
    CREATED = strawberry.enum_value(
        "created", description="The image is new in the list."
    )
    UPDATED = strawberry.enum_value("updated", description="The image has changed.")
    DELETED = strawberry.enum_value(
        "deleted",
        description=(
            "The image was deleted, the token can no longer see it, or it"
            " has left the list."
        ),
    )


@strawberry.enum(description="The direction of a sort key.")
class SortDirection(Enum):
    """The words of Glance's `sort` parameter."""

    ASC = strawberry.enum_value(
        "asc", description="Smallest, alphabetically first, or oldest first."
    )
    DESC = strawberry.enum_value(
        "desc", description="Largest, alphabetically last, or newest first."
    )


@strawberry.enum(description="The fields that a list of images can be sorted by.")
class ImageOrderField(Enum):
    """Glance's sort keys, all of them."""

    NAME = strawberry.enum_value(
        "name",
        description=(
            "Name. Images without a name come first. If some images have"
            " no name and others an empty one, Glance may repeat or skip"
            " some of them between pages."
        ),
    )
    STATUS = strawberry.enum_value("status", description="Status, alphabetically.")
    CONTAINER_FORMAT = strawberry.enum_value(
        "container_format", description="Container format."
    )
    DISK_FORMAT = strawberry.enum_value("disk_format", description="Disk format.")
    SIZE = strawberry.enum_value(
        "size",
        description=(
            "Size in bytes. Glance cannot continue a list after an image"
            " without data or of 0 bytes; behind it, only the first 1000"
            " images of the list can be reached. The filter `size: {min:"
            " 0}` excludes images without data."
        ),
    )
    ID = strawberry.enum_value("id", description="Id.")
    CREATED_AT = strawberry.enum_value(
        "created_at", description="When the image was created."
    )
    UPDATED_AT = strawberry.enum_value(
        "updated_at", description="When the image was last changed."
    )


@strawberry.enum(description="The JSON schemas that Glance has.")
class JsonSchemaName(Enum):
    """The routes below `/v2/schemas`."""

    IMAGE = strawberry.enum_value("image", description="An image.")
    IMAGES = strawberry.enum_value("images", description="A list of images.")
    MEMBER = strawberry.enum_value("member", description="A member of an image.")
    MEMBERS = strawberry.enum_value("members", description="A list of members.")
    TASK = strawberry.enum_value("task", description="A task.")
    TASKS = strawberry.enum_value("tasks", description="A list of tasks.")
    METADEF_NAMESPACE = strawberry.enum_value(
        "metadefs/namespace", description="A namespace of metadata definitions."
    )
    METADEF_NAMESPACES = strawberry.enum_value(
        "metadefs/namespaces", description="A list of namespaces."
    )
    METADEF_RESOURCE_TYPE = strawberry.enum_value(
        "metadefs/resource_type", description="A resource type of a namespace."
    )
    METADEF_RESOURCE_TYPES = strawberry.enum_value(
        "metadefs/resource_types", description="A list of resource types."
    )
    METADEF_OBJECT = strawberry.enum_value(
        "metadefs/object", description="An object of a namespace."
    )
    METADEF_OBJECTS = strawberry.enum_value(
        "metadefs/objects", description="A list of objects."
    )
    METADEF_PROPERTY = strawberry.enum_value(
        "metadefs/property", description="A property definition."
    )
    METADEF_PROPERTIES = strawberry.enum_value(
        "metadefs/properties", description="A list of property definitions."
    )
    METADEF_TAG = strawberry.enum_value(
        "metadefs/tag", description="A tag of a namespace."
    )
    METADEF_TAGS = strawberry.enum_value("metadefs/tags", description="A list of tags.")


def known(words: type[Word], word: object) -> Word:
    """Return the member for Glance's word, UNKNOWN for anything else."""
    by_value: dict[object, Word] = {member.value: member for member in words}
    is_word = isinstance(word, str)
    return by_value.get(word, words["UNKNOWN"]) if is_word else words["UNKNOWN"]
