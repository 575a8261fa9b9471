"""Words of Glance that are closed sets, with UNKNOWN where they may grow."""

from enum import Enum
from typing import TypeVar

import strawberry

Word = TypeVar("Word", bound=Enum)

_NEWER = "A word newer than this schema, or none: read the field's raw twin."


@strawberry.enum(description="Where an image is in its life.")
class ImageStatus(Enum):
    """Source: glance.api.v2.images.get_base_properties."""

    QUEUED = strawberry.enum_value(
        "queued", description="Known by name; its data has not come yet."
    )
    SAVING = strawberry.enum_value(
        "saving", description="Its data is being stored by an upload."
    )
    UPLOADING = strawberry.enum_value(
        "uploading", description="Its data is being staged for an import."
    )
    IMPORTING = strawberry.enum_value(
        "importing", description="An import of its data is running."
    )
    ACTIVE = strawberry.enum_value("active", description="Ready for use.")
    DEACTIVATED = strawberry.enum_value(
        "deactivated", description="Its data is kept from all but administrators."
    )
    KILLED = strawberry.enum_value(
        "killed", description="Storing its data failed; it is not readable."
    )
    DELETED = strawberry.enum_value("deleted", description="Deleted.")
    PENDING_DELETE = strawberry.enum_value(
        "pending_delete", description="Deleted; its data will be removed later."
    )
    UNKNOWN = strawberry.enum_value("unknown", description=_NEWER)


@strawberry.enum(description="Who may see an image.")
class ImageVisibility(Enum):
    """Source: glance.api.v2.images.get_base_properties."""

    PUBLIC = strawberry.enum_value("public", description="Everybody, in every list.")
    COMMUNITY = strawberry.enum_value(
        "community",
        description="Everybody who knows its id or lists community images.",
    )
    SHARED = strawberry.enum_value(
        "shared", description="Its owner and the projects that are its members."
    )
    PRIVATE = strawberry.enum_value("private", description="Its owner only.")
    UNKNOWN = strawberry.enum_value("unknown", description=_NEWER)


@strawberry.enum(description="Which visibilities a list holds.")
class VisibilityFilter(Enum):
    """The words of Glance's `visibility` parameter."""

    PUBLIC = strawberry.enum_value("public", description="Public images.")
    COMMUNITY = strawberry.enum_value(
        "community", description="Community images, whoever owns them."
    )
    SHARED = strawberry.enum_value(
        "shared",
        description="The project's own shared images and those shared with it.",
    )
    PRIVATE = strawberry.enum_value("private", description="Private images.")
    ALL = strawberry.enum_value(
        "all",
        description="All that the token may see, other projects' community images too.",
    )


@strawberry.enum(
    description="What the token's project has said to images shared with it."
)
class MemberStatusFilter(Enum):
    """The words of Glance's `member_status` parameter."""

    PENDING = strawberry.enum_value("pending", description="Not answered yet.")
    ACCEPTED = strawberry.enum_value(
        "accepted", description="Accepted: Glance's default."
    )
    REJECTED = strawberry.enum_value("rejected", description="Rejected.")
    ALL = strawberry.enum_value("all", description="Whatever the answer.")


@strawberry.enum(description="How far a task has come.")
class TaskStatus(Enum):
    """Source: glance.domain.Task."""

    PENDING = strawberry.enum_value("pending", description="Waiting to start.")
    PROCESSING = strawberry.enum_value("processing", description="Running.")
    SUCCESS = strawberry.enum_value("success", description="Ended well.")
    FAILURE = strawberry.enum_value(
        "failure", description="Ended badly: read `message`."
    )
    UNKNOWN = strawberry.enum_value("unknown", description=_NEWER)


@strawberry.enum(description="What a task does.")
class TaskType(Enum):
    """Source: glance.domain.Task."""

    IMPORT = strawberry.enum_value(
        "import", description="An import asked for through the old task API."
    )
    API_IMAGE_IMPORT = strawberry.enum_value(
        "api_image_import", description="An import or a copy between stores."
    )
    LOCATION_IMPORT = strawberry.enum_value(
        "location_import", description="Data registered by its location."
    )
    UNKNOWN = strawberry.enum_value("unknown", description=_NEWER)


@strawberry.enum(description="What happened to an image.")
class ImageEventKind(Enum):
    """Source: gateway.watching.changes.ChangeKind, by its names."""

    SNAPSHOT = strawberry.enum_value(
        "snapshot",
        description=(
            "Nothing: it is so as a subscription begins, or was so before an outage."
        ),
    )
    CREATED = strawberry.enum_value("created", description="It appeared in the list.")
    UPDATED = strawberry.enum_value("updated", description="It changed.")
    DELETED = strawberry.enum_value(
        "deleted",
        description=(
            "It is gone: deleted, out of the token's sight, or no longer in the list."
        ),
    )


@strawberry.enum(description="Which way an order runs.")
class SortDirection(Enum):
    """The words of Glance's `sort` parameter."""

    ASC = strawberry.enum_value("asc", description="Smallest, first or oldest first.")
    DESC = strawberry.enum_value("desc", description="Largest, last or newest first.")


@strawberry.enum(description="What a list of images can be ordered by.")
class ImageOrderField(Enum):
    """Glance's sort keys, all of them."""

    NAME = strawberry.enum_value(
        "name",
        description=(
            "By name; none comes first. Where some images have no name and others an"
            " empty one, Glance may repeat or lose some of them between pages."
        ),
    )
    STATUS = strawberry.enum_value("status", description="By the status word.")
    CONTAINER_FORMAT = strawberry.enum_value(
        "container_format", description="By container format."
    )
    DISK_FORMAT = strawberry.enum_value("disk_format", description="By disk format.")
    SIZE = strawberry.enum_value(
        "size",
        description=(
            "By size in bytes. Glance can't page past images without a size or of 0"
            " bytes: after one of them at most the list's first 1000 images can be"
            " reached. The filter `size: {min: 0}` leaves those without a size out."
        ),
    )
    ID = strawberry.enum_value("id", description="By UUID.")
    CREATED_AT = strawberry.enum_value("created_at", description="By time of creation.")
    UPDATED_AT = strawberry.enum_value(
        "updated_at", description="By time of the last change."
    )


@strawberry.enum(description="Which of Glance's JSON schemas.")
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
