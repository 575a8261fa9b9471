"""What the project keeps in step: schema file, layers, documentation."""

import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import pytest
from graphql import parse, validate

from gateway import limits
from gateway.asgi.graphql.request import PersistedQueryNotSupported
from gateway.limits.exceeded import OVERLOADED
from gateway.limits.rule import Rule
from gateway.limits.subscriptions import TOO_MANY
from gateway.schema.errors import CODES, OMITTED
from gateway.schema.root import build_schema
from gateway.settings import Settings

ROOT = Path(__file__).parent.parent
DOCUMENTATION = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_schema_file_is_the_schema() -> None:
    """`poe schema` writes schema.graphql anew."""
    assert (ROOT / "schema.graphql").read_text() == build_schema().as_str() + "\n"


def test_every_part_of_the_schema_is_described() -> None:
    """Types, fields, arguments and enum values are the users' manual."""
    introspection = build_schema().introspect()["__schema"]
    own = [one for one in introspection["types"] if not one["name"].startswith("__")]
    parts = [
        (type_["name"], part)
        for type_ in own
        for kind in ("fields", "inputFields", "enumValues")
        for part in type_[kind] or ()
    ]
    arguments = [
        (f"{name}.{part['name']}", argument)
        for name, part in parts
        for argument in part.get("args", ())
    ]

    described = [("", type_) for type_ in own] + parts + arguments
    assert [
        f"{of}.{one['name']}" for of, one in described if not one["description"]
    ] == []


def test_imports_go_downwards_only() -> None:
    """import-linter holds the layers and what each may know."""
    ended = subprocess.run(
        [Path(sys.executable).with_name("lint-imports")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stdout


def test_docs_have_every_setting_with_its_default() -> None:
    """The table of settings is complete, and names nothing that is not one."""
    rows = re.findall(
        r"^\| `(GATEWAY_\w+)` \| (.*?) \|", _doc("settings"), re.MULTILINE
    )

    assert dict(rows) == {
        f"GATEWAY_{name.upper()}": _default(name) for name in Settings.model_fields
    }


def test_every_document_of_the_docs_fits_the_schema() -> None:
    """Examples can be pasted."""
    texts = "\n".join(path.read_text() for path in DOCUMENTATION)
    blocks = re.findall(r"```graphql\n(.*?)```", texts, re.DOTALL)
    schema = build_schema()._schema  # noqa: SLF001 - Strawberry has no other name

    assert len(blocks) > 3
    assert [validate(schema, parse(block)) for block in blocks] == [[]] * len(blocks)


def test_docs_have_every_error_code() -> None:
    """The table of error codes names each code that an error can have."""
    table = _doc("errors").partition("## Codes")[2].partition("## ")[0]
    cells = re.findall(r"^\| ((?:`[A-Z_]+`(?:, )?)+) \|", table, re.MULTILINE)
    rows = {code for cell in cells for code in re.findall(r"[A-Z_]+", cell)}

    own = {"BAD_REQUEST", "INTERNAL_SERVER_ERROR", OVERLOADED, TOO_MANY, OMITTED}
    own |= {PersistedQueryNotSupported.CODE}
    documents = {"GRAPHQL_PARSE_FAILED", "GRAPHQL_VALIDATION_FAILED"}
    assert rows == set(CODES.values()) | own | documents | {*_limit_codes()}


@pytest.mark.parametrize("path", DOCUMENTATION, ids=lambda path: path.name)
def test_every_link_of_the_docs_leads_somewhere(path: Path) -> None:
    """Links within the repository name a file, and a heading that it has."""
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", path.read_text())

    assert [link for link in links if not _leads_somewhere(path, *link)] == []


def test_readme_is_short() -> None:
    """It is the front door; the manual is in docs/."""
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150


def _limit_codes() -> Iterator[str]:
    for module in iter_modules(limits.__path__, "gateway.limits."):
        for name, value in vars(import_module(module.name)).items():
            if isinstance(value, Rule):
                yield value.code
            elif name.endswith("CODE"):
                yield value


def _doc(name: str) -> str:
    return (ROOT / "docs" / f"{name}.md").read_text()


def _leads_somewhere(path: Path, file: str, heading: str) -> bool:
    target = path.parent / file if file else path
    if not target.exists() or not heading:
        return target.exists()
    headings = re.findall(r"^#+ (.*)$", target.read_text(), re.MULTILINE)
    return heading in {_anchor(one) for one in headings}


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def _default(name: str) -> str:
    field = Settings.model_fields[name]
    if field.is_required():
        return "required"
    is_none = field.default in (None, ())
    return "none" if is_none else f"`{field.default}`".lower()
