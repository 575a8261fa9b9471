"""Documents, any valid selection of the world, and what they are asked of."""

import re
from dataclasses import dataclass, field
from random import Random

LEAVES = (
    "id idOrNull text textOrNull number numberOrNull ratio ratioOrNull flag flagOrNull"
    " color colorOrNull moment momentOrNull size sizeOrNull anything anythingOrNull"
    " words wordsOrNull numbers grid textGrid colors knownColor length defaulted"
    " renamed total meant meantJson flagged counted sized listed textOrId"
)
PARTS = "part partOrNull parts partGrid pair partsLike laterPart"
LEFT = ["broken", "place", "later", "laterNeeded", "guarded", "loud"]
TYPES: dict[str, dict[str, str | None]] = {
    "Thing": {
        **dict.fromkeys([*LEAVES.split(), *LEFT]),
        **dict.fromkeys(PARTS.split(), "Part"),
        **dict.fromkeys(["child", "children", "others"], "Thing"),
        **dict.fromkeys(["pet", "pets"], "Pet"),
        "named": "Named",
    },
    "Part": {"name": None, "value": None},
    "Named": {"name": None},
    "Cat": {"name": None, "lives": None},
    "Dog": {"name": None, "tricks": None},
    "Pet": {},
}
CONDITIONS_OF = {"Named": ["Cat", "Dog", "Named"], "Pet": ["Cat", "Dog", "Named"]}
# An alias that is another field's name: number, for text.
SWAPPED = dict(zip(LEAVES.split(), reversed(LEAVES.split()), strict=True))
SWAPPED |= {"name": "value", "value": "name", "pair": "part", "part": "pair"}
ARGUMENTS = {
    "": "",
    "a": '(names: ["text", "id"])',
    "b": '(names: "flag", prefix: null)',
    "c": '(prefix: "t", most: 1)',
    "d": "(names: $names, prefix: $prefix, most: $most)",
    "e": '(names: ["id", "text"], most: $most)',
}
DIRECTIVES = [
    *([""] * 8),
    *(" @skip(if: $a)", " @include(if: $a)", " @include(if: $b)"),
    *(" @skip(if: true)", " @skip(if: $b) @include(if: $a)", " @include(if: true)"),
]
# Fields that read another key than their own.
READS = {
    **dict.fromkeys(["length", "pair", "place", "guarded", "loud"], "text"),
    **dict.fromkeys(["laterNeeded", "laterPart"], "later"),
    "knownColor": "color",
    "defaulted": "usually",
    "renamed": "other-key",
    "meant": "text_or_null",
    "meantJson": "anything",
    "flagged": "flag_or_null",
    "counted": "number_or_null",
    "sized": "size_or_null",
    "listed": "words_or_null",
    "textOrId": "text",
    "total": "numbers",
    "broken": "flag",
    "partsLike": "text",
}
ROOTS = ["one", "needed", "oneLater", "many", "manyOrNull"]
VARIABLES = {
    "a": "Boolean!",
    "b": "Boolean! = true",
    "names": "[String!]",
    "prefix": 'String = "t"',
    "most": "Int! = 2",
}


@dataclass
class _Writer:
    """Writes selections; all names of a document are either swapped or not."""

    random: Random
    is_swapped: bool
    fragments: dict[str, str] = field(default_factory=dict)

    def selection(self, type_: str, depth: int) -> str:
        """Return a selection set."""
        kinds = ["field"] * 6 + ["typename"] + ["inline"] * (depth > 0)
        kinds += ["spread"] * (type_ in self.fragments) + ["left"] * (type_ == "Thing")
        most = 7 if depth else 3
        chosen = self.random.choices(kinds, k=self.random.randint(1, most))
        return "{ %s }" % " ".join(self._item(kind, type_, depth) for kind in chosen)

    def _item(self, kind: str, type_: str, depth: int) -> str:
        names = [
            name
            for name, inner in TYPES[type_].items()
            if depth or inner not in {"Thing", "Named", "Pet"}
        ]
        directives = self.random.choice(DIRECTIVES)
        if kind == "left":
            return self._field(self.random.choice(LEFT), None, directives, 0)
        if kind == "field" and names:
            name = self.random.choice(names)
            return self._field(name, TYPES[type_][name], directives, depth)
        if kind == "spread":
            return f"...{type_}Fragment{directives}"
        if kind == "inline":
            return self._inline(type_, directives, depth)
        return f"{self.random.choice(['', 'kind: '])}__typename{directives}"

    def _field(self, name: str, inner: str | None, directives: str, depth: int) -> str:
        alias = SWAPPED.get(name, name) if self.is_swapped else name
        arguments = ""
        if name == "partsLike":
            variant = self.random.choice(list(ARGUMENTS))
            alias, arguments = f"{alias}{variant}", ARGUMENTS[variant]
        nested = self.selection(inner, max(depth - 1, 0)) if inner else ""
        return f"{alias}: {name}{arguments}{directives} {nested}"

    def _inline(self, type_: str, directives: str, depth: int) -> str:
        on = self.random.choice(CONDITIONS_OF.get(type_, [type_, ""]))
        nested = self.selection(on or type_, depth - 1)
        return f"... {'on ' + on if on else ''}{directives} {nested}"


def document(random: Random) -> str:
    """Return a document that is valid."""
    writer = _Writer(random, is_swapped=random.choice([True, False]))
    for type_ in ("Part", "Thing"):
        nested = writer.selection(type_, 0)
        writer.fragments[type_] = f"fragment {type_}Fragment on {type_} {nested}"
    roots = random.choices(ROOTS, k=random.randint(1, 2))
    body = "{ %s }" % " ".join(
        f"{root} {writer.selection('Thing', 2)}" for root in roots
    )
    for type_ in ("Thing", "Part"):
        if f"...{type_}Fragment" in body:
            body += f" {writer.fragments[type_]}"
    used = [f"${name}: {VARIABLES[name]}" for name in VARIABLES if _uses(body, name)]
    return f"query ({', '.join(used)}) {body}" if used else body


def values(random: Random) -> dict[str, object]:
    """Return variables; those that have a default may be left out."""
    some = {
        "b": random.choice([True, False]),
        "names": random.choice([None, [], ["text", "flag"]]),
        "prefix": random.choice([None, "", "te"]),
        "most": random.randint(0, 4),
    }
    left = random.sample(list(some), k=random.randint(0, len(some)))
    return {"a": random.choice([True, False]), **{name: some[name] for name in left}}


def keys_read(text: str) -> list[str]:
    """Return the keys of a thing's record that a document reads."""
    words = (
        dict.fromkeys(re.findall(r"(?<=: )\w+", text)).keys() & TYPES["Thing"].keys()
    )
    keys = {READS.get(word, _snake(word)) for word in words}
    return sorted(keys) or ["text"]


def _snake(name: str) -> str:
    return re.sub("([A-Z])", r"_\1", name).lower()


def _uses(text: str, variable: str) -> bool:
    return re.search(rf"\${variable}\b", text) is not None
