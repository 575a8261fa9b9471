"""Node and packages of npm, for tests that run JavaScript."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def run_node(folder: Path, *arguments: str) -> str:
    """Run a script of the folder and return what it prints."""
    command = [str(shutil.which("node")), *arguments]
    return subprocess.run(
        command, cwd=folder, check=True, timeout=120, stdout=subprocess.PIPE, text=True
    ).stdout


def installed(package: Path, folder: Path) -> Path:
    """Copy a package's own files, install what its lock file names; return the folder.

    Skips the test where Node is missing, but not in CI.
    """
    if shutil.which("npm") is None:
        missing = "Node.js with npm is missing (Debian: apt-get install nodejs npm)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    for file in [*package.glob("*.json"), *package.glob("*.js")]:
        shutil.copy(file, folder)
    command = ["npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    subprocess.run(command, cwd=folder, check=True, timeout=300)
    return folder
