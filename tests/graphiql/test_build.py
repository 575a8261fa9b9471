"""The page is in what is built, or it is said why not."""

import json
import shutil
from pathlib import Path
from zipfile import ZipFile

import pytest
from hatchling.builders.wheel import WheelBuilder

from gateway.graphiql.build_page import NODE, is_current
from tests.graphiql.browser import NO_PAGE, needed
from tests.support.event_stream import EVENTS, stream
from tests.support.gateway import Gateway

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "gateway" / "graphiql"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a copy of the project, with its page where it is built."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    skipped = shutil.ignore_patterns("node_modules", "__pycache__")
    shutil.copytree(ROOT / "gateway", tmp_path / "gateway", ignore=skipped)
    return tmp_path


@pytest.fixture
def unbuilt(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a copy without the page, where there is no npm."""
    shutil.rmtree(project / "gateway" / "graphiql" / "dist", ignore_errors=True)
    monkeypatch.setenv("PATH", str(project))
    return project


def wheel(project: Path) -> set[str]:
    """Build a wheel and return what is in it of the page."""
    builder = WheelBuilder(str(project))
    (built,) = builder.build(directory=str(project / "out"), versions=["standard"])
    with ZipFile(built) as archive:
        names = archive.namelist()
    return {name for name in names if name.startswith("gateway/graphiql/")}


def test_wheel_has_the_page_and_not_its_sources(project: Path) -> None:
    """What is served is in it; packages, sources and the hook are not."""
    dist = project / "gateway" / "graphiql" / "dist"
    needed(dist.exists() or None, NO_PAGE)

    files = {file.relative_to(project) for file in dist.rglob("*") if file.is_file()}

    assert wheel(project) == {str(file) for file in files}


def test_without_npm_there_is_a_warning_and_no_page(
    unbuilt: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The gateway can be installed where no registry of npm is reached."""
    monkeypatch.delenv("CI", raising=False)

    files = wheel(unbuilt)

    assert files == set()
    assert "GraphiQL is not built: there is no npm" in capfd.readouterr().err


def test_without_npm_releases_fail(
    unbuilt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """CI=true demands the page."""
    monkeypatch.setenv("CI", "true")

    with pytest.raises(Exception, match="there is no npm"):
        wheel(unbuilt)


def test_without_npm_pypi_brings_it(unbuilt: Path) -> None:
    """What pip is told to install for the build has a Node."""
    assert NODE in WheelBuilder(str(unbuilt)).config.dependencies


def test_changed_source_makes_the_page_anew(project: Path) -> None:
    """A page is current as long as its sources are what it was built from."""
    folder = project / "gateway" / "graphiql"
    needed(is_current(folder) or None, NO_PAGE)

    (folder / "style.css").write_text("")

    assert not is_current(folder)


def test_packages_come_from_the_public_registry() -> None:
    """The lock file names no other, and holds a digest of each package."""
    packages = json.loads((SOURCES / "package-lock.json").read_text())["packages"]

    locked = [package for name, package in packages.items() if name]

    registry = "https://registry.npmjs.org/"
    assert all(one.get("resolved", registry).startswith(registry) for one in locked)
    assert all(one["integrity"].startswith("sha512-") for one in locked)


*STARTERS, CHANGES = sorted((SOURCES / "starters").iterdir())


@pytest.mark.parametrize("starter", STARTERS, ids=lambda starter: starter.name)
def test_starter_works_as_it_is(gateway: Gateway, token: str, starter: Path) -> None:
    """Each tab that one finds at first can be run without errors."""
    gateway.data(starter.read_text(), token=token)


def test_starter_of_changes_waits_for_some(gateway: Gateway, token: str) -> None:
    """It is a stream of events, as it is."""
    with stream(gateway, token, CHANGES.read_text()) as events:
        media_type = events.response.headers["Content-Type"].partition(";")[0]

    assert (events.response.status_code, media_type) == (200, EVENTS)
