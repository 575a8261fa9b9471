"""Documents and data in which a compiler of selections may go wrong."""

from gateway.glance.errors import GlanceUnavailable
from tests.execution.hostile import HOSTILE, NEAR, PART, RECORD, Fields, Late
from tests.execution.world import World

TRICKY = {
    "aliases": "{ one { a: text b: text text c: number } }",
    "aliases that swap names": """{ one { number: text text: number
        pair: part { name: value value: name } part: pair { x: name } } }""",
    "typename everywhere": """{ __typename one { __typename kind: __typename
        part { __typename } parts { __typename name } child { __typename }
        pets { __typename } named { __typename } } many { __typename } }""",
    "a field of several fragments": """{ one { ...A ... on Thing { part { value } }
        ...B part { again: name } } }
        fragment A on Thing { text part { name } child { id ...B } }
        fragment B on Thing { number part { name value } child { text id } }""",
    "fragments on interface and union": """{ one { named { name ... on Cat { lives }
        ... on Dog { tricks } } pet { ... on Named { name } ... on Cat { lives } }
        pets { ... on Cat { name lives } ... on Dog { name tricks } } } }""",
    "fragments in fragments with conditions": """query ($a: Boolean!, $b: Boolean!) {
        one { ... on Thing @include(if: $a) { text ... @skip(if: $b) { number
        ...A @include(if: $b) } ...A @skip(if: $a) } ...A @include(if: $b) } }
        fragment A on Thing { id part { name value @skip(if: $a) } }""",
    "literal conditions": """{ one { text @skip(if: true) number @skip(if: false)
        flag @include(if: true) id @include(if: false) @skip(if: false)
        part @include(if: true) { name @skip(if: true) value } } }""",
    "conditions on fields that merge": """query ($a: Boolean!, $b: Boolean!) {
        many { text @include(if: $a) number text @skip(if: $b)
        part @skip(if: $a) { name } part @include(if: $b) { value } } }""",
    "nothing left": """query ($a: Boolean!, $b: Boolean!) { one { text @skip(if: $a)
        part { name @include(if: $b) } } manyOrNull { id @skip(if: $b) } }""",
    "conditions with a default": """query ($a: Boolean = false, $b: Boolean! = true) {
        one { text @skip(if: $a) number @include(if: $b) } }""",
    "lists": """{ one { words wordsOrNull numbers grid textGrid colors
        partGrid { name value } parts { value } } }""",
    "not null at depth": """{ one { child { child { part { name } text } id }
        children { part { name } others { id text } } others { children { number } } }
        }""",
    "leaves": """{ manyOrNull { id idOrNull text textOrNull number numberOrNull ratio
        ratioOrNull flag flagOrNull color colorOrNull moment momentOrNull size
        sizeOrNull anything anythingOrNull } }""",
    "nullable leaves": """{ manyOrNull { idOrNull textOrNull numberOrNull ratioOrNull
        flagOrNull colorOrNull momentOrNull sizeOrNull anythingOrNull renamed } }""",
    "functions of the record": """{ many { knownColor length defaulted renamed total
        pair { name value } partsLike(prefix: "t") { name } } }""",
    "values that mean something": """{ manyOrNull { meant meantJson flagged counted
        sized listed textOrId } many { a: meant b: flagged c: counted } }""",
    "functions that fail": "{ one { broken total length } many { broken text } }",
    "constant arguments": """{ one { a: partsLike(names: ["id", "text"]) { name }
        b: partsLike(names: "flag", most: 1) { name } c: partsLike(names: []) { name }
        d: partsLike(names: null, prefix: "", most: 3) { n: name value } } }""",
    "arguments of variables": """query ($most: Int! = 1, $names: [String!],
        $prefix: String = "n") { one { partsLike(most: $most, prefix: $prefix) { name }
        some: partsLike(names: $names) { name } many: partsLike(names: ["id"]) { name }
        } }""",
    "arguments of fields that merge": """{ one { partsLike(names: ["id"]) { name }
        ... on Thing { partsLike(names: ["id"]) { value n: name } } } }""",
    "awaited beside plain": "{ one { text later part { name } } many { later } }",
    "awaited that fails beside odd": """{ one { text laterNeeded number later }
        manyOrNull { laterNeeded words later laterPart { name value } } }""",
    "several awaited": """{ a: oneLater { later text } b: oneLater { laterNeeded }
        one { x: later y: later z: laterNeeded child { later place } } }""",
    "awaited in a list that must not be null": """{ many { laterNeeded text }
        one { children { laterNeeded later child { later } } } }""",
    "guarded and extended": "{ one { guarded loud text } many { guarded text loud } }",
    "resolvers that see where they are": """{ one { place child { place text }
        others { p: place } } many { place text } }""",
    "left alone": "{ one { place later guarded loud } }",
    "a root that must not be null": "{ needed { text part { name } } }",
    "several operations": """query A { ...Q } query B { ...Q one { id } }
        fragment Q on Query { one { text } many { number } }""",
    "a mutation": "mutation { a: change { text later } b: change { number } }",
}
# No object of theirs is projected whole or in part.
LEFT_ALONE = {"left alone", "functions that fail", "fragments on interface and union"}
UNPROPAGATED = """query @experimental_disableErrorPropagation {
    one { text number part { name } words } many { text children { number } } }"""

VARIABLES: list[dict[str, object]] = [
    {"a": True, "b": True},
    {"a": True, "b": False},
    {"a": False, "b": True},
    {"a": False, "b": False},
    {"a": False, "most": 3, "names": None, "prefix": None},
    {"a": True, "most": 0, "names": ["id", "flag"], "prefix": "te"},
    {"most": None, "a": None, "b": None},
]


def _spoilt(**values: object) -> dict[str, object]:
    return {**RECORD, **values}


_DEEP = _spoilt(child=_spoilt(child=_spoilt(part={"name": None}), children=[]))
_ONES: list[object] = [
    None,
    RECORD,
    Fields(RECORD),
    Late(RECORD),
    {},
    _DEEP,
    _spoilt(children=[RECORD, _DEEP, _spoilt(text=None), _spoilt(number=2**31)]),
    _spoilt(others=[RECORD, None, _spoilt(id=None), _spoilt(children=[{}, RECORD])]),
    _spoilt(later=GlanceUnavailable("Gone."), number="many", words=("a",)),
    _spoilt(later=Late("x"), text=None, children=[_spoilt(later=None), RECORD]),
    _spoilt(child=_spoilt(later=ValueError("no")), part=Late(PART), flag=1),
    _spoilt(later=PART, child=_spoilt(later={"name": 1}), colors=["red", "mauve"]),
    *(_spoilt(text=value, number=value, color=value, part=value) for value in HOSTILE),
    *(_spoilt(moment=value, moment_or_null=value) for value in NEAR["moment"]),
    *(_spoilt(size=value, size_or_null=value) for value in NEAR["size"]),
]
WORLDS = [
    World(
        one=one,
        many=[RECORD, one, *_ONES[(number * 7) % 12 :][:2]] if number % 3 else [RECORD],
        is_allowed=number % 2 == 0,
    )
    for number, one in enumerate(_ONES)
]
WORLDS += [World(one=RECORD, many=many) for many in [*HOSTILE, [RECORD] * 3]]
