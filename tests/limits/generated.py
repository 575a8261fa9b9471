"""Operations, any valid ones of the schema, whose cost is worth estimating."""

import re
from dataclasses import dataclass, field
from random import Random

import orjson

from gateway.glance.listing import ImageQuery, Position
from gateway.schema.connection import cursor
from tests.limits.cloud import StubGlance, image_id

BY_SIZE = ImageQuery(sort=(("size", "desc"),))
DIRECTIVES = [
    *([""] * 16),
    *(" @skip(if: $a)", " @include(if: $a)", " @include(if: $b)"),
    *(" @skip(if: true)", " @skip(if: $b) @include(if: $a)", " @include(if: true)"),
]
# A field's type below it, or its whole text.
TYPES: dict[str, dict[str, str | None]] = {
    "Image": {
        "id": None,
        "tasks": "Task",
        "stores": "Store",
        "locations": "ImageLocation",
        "properties { name }": None,
    },
    "Task": {"id": None, "message": None},
    "Store": {"id": None, "description": None, "isDefault": None, "isReadOnly": None},
    "ImageLocation": {"url": None, "store": "Store"},
    "ImageEdge": {"cursor": None, "node": "Image"},
    "PageInfo": {"hasNextPage": None, "endCursor": None},
    "ImageConnection": {"nodes": "Image", "edges": "ImageEdge", "pageInfo": "PageInfo"},
    "ImagePayload": {"image": "Image"},
}
VARIABLES = {
    "a": "Boolean!",
    "b": "Boolean! = true",
    "first": "Int! = 3",
    "after": "String",
    "id": "ID!",
    "ids": "[ID!]",
}
MUTATIONS: dict[str, str | None] = {
    'createImage(input: {name: "x"})': "ImagePayload",
    "updateImage(input: {id: $id})": "ImagePayload",
    'updateImage(input: {id: $id, name: "x"})': "ImagePayload",
    'addTag(input: {id: $id, tag: "plain"})': "ImagePayload",
    'addTag(input: {id: $id, tag: "größe"})': "ImagePayload",
    'addTag(input: {id: $id, tag: "grün"})': "ImagePayload",
    'removeTag(input: {id: $id, tag: "größe"})': "ImagePayload",
    'removeTag(input: {id: $id, tag: "plain"})': "ImagePayload",
}


def queries(stub: StubGlance) -> dict[str, str | None]:
    """Return fields of Query; some images are hidden, or missing."""
    ids = [*stub.ids[:4], stub.hidden, image_id(10**6), "no UUID", "a/b"]
    many = many_ids(stub, 300)
    return {
        **{f'image(id: "{one}")': "Image" for one in ids},
        "image(id: $id)": "Image",
        "images": "ImageConnection",
        "images(first: $first)": "ImageConnection",
        "images(first: $first, after: $after, orderBy: {field: SIZE})": (
            "ImageConnection"
        ),
        "images(filter: {id: $ids})": "ImageConnection",
        "images(first: 1000, filter: {id: $ids})": "ImageConnection",
        f"images(first: 8, filter: {{id: {orjson.dumps(many).decode()}}})": (
            "ImageConnection"
        ),
        "images(first: 0)": "ImageConnection",
        "images(first: 1000)": "ImageConnection",
        "stores": "Store",
        "jsonSchema(of: IMAGE)": None,
    }


def many_ids(stub: StubGlance, count: int) -> list[str]:
    """Return so many ids, among which are those of the images."""
    missing = [image_id(10**6 + one) for one in range(count)]
    return [*stub.ids, *missing][:count]


def values(random: Random, stub: StubGlance) -> dict[str, object]:
    """Return variables; those that have a default may be left out."""
    place = Position(random.choice(stub.ids[:7]), is_unsized=random.random() < 0.8)
    some = {
        "b": random.choice([True, False]),
        "first": random.choice(
            [0, 1, 4, 5, 6, 7, 8, 20, 36, 37, 38, 999, 1000, 5.0, -1]
        ),
        "after": random.choice([None, "x", *[cursor(BY_SIZE, place)] * 4]),
        "ids": many_ids(stub, random.choice([1, 20, 133, 134, 170, 400])),
    }
    left = random.sample(list(some), k=random.randint(0, len(some)))
    needed = {"a": random.choice([True, False]), "id": random.choice(stub.ids)}
    return needed | {name: some[name] for name in left}


@dataclass
class _Writer:
    """Writes selections; equal aliases are equal fields."""

    random: Random
    fragments: dict[str, str] = field(default_factory=dict)

    def selection(self, fields: dict[str, str | None], type_: str, depth: int) -> str:
        """Return a selection set of a type with these fields."""
        kinds = ["field"] * 6 + ["inline"] * (depth > 0)
        kinds += ["spread"] * (2 * (type_ in self.fragments))
        chosen = self.random.choices(kinds, k=self.random.randint(1, 3))
        parts = [self._item(kind, fields, type_, depth) for kind in chosen]
        return "{ __typename %s }" % " ".join(parts)

    def _item(
        self, kind: str, fields: dict[str, str | None], type_: str, depth: int
    ) -> str:
        directives = self.random.choice(DIRECTIVES)
        if kind == "spread":
            return f"...{type_}Fragment{directives}"
        if kind == "inline":
            on = self.random.choice(["", f"on {type_}"])
            return f"... {on}{directives} {self.selection(fields, type_, depth - 1)}"
        name = self.random.choice(list(fields))
        inner = fields[name]
        chosen = f"{name}{self.random.choice(['', '', 'x'])}"
        word = re.sub(r"\W", "", chosen, flags=re.ASCII)
        below = self.selection(TYPES[inner], inner, depth) if inner else ""
        if name.startswith("properties"):
            return name
        alias = "" if word == name else f"{word}: "
        return f"{alias}{name}{directives} {below}"


def operation(random: Random, kind: str, roots: dict[str, str | None]) -> str:
    """Return an operation of this kind with some of these root fields."""
    writer = _Writer(random)
    for type_ in ("Store", "Image", "PageInfo", "ImageConnection", "ImagePayload"):
        nested = writer.selection(TYPES[type_], type_, 1)
        writer.fragments[type_] = f"fragment {type_}Fragment on {type_} {nested}"
    root = kind.capitalize()
    nested = writer.selection(roots, root, 1)
    writer.fragments[root] = f"fragment {root}Fragment on {root} {nested}"
    text = writer.selection(roots, root, 2)
    for type_ in reversed(writer.fragments):
        if f"...{type_}Fragment" in text:
            text += f" {writer.fragments[type_]}"
    used = [
        f"${name}: {type_}"
        for name, type_ in VARIABLES.items()
        if re.search(rf"\${name}\b", text)
    ]
    return f"{kind} {'(%s)' % ', '.join(used) if used else ''} {text}"
