"""Answers that Glances gave once, byte for byte."""

from pathlib import Path
from typing import Any

import orjson

FOLDER = Path(__file__).parent


def recorded(name: str) -> bytes:
    """Return the body of a recorded answer."""
    return (FOLDER / f"{name}.json").read_bytes()


def recorded_json(name: str) -> Any:
    """Return a recorded answer, decoded."""
    return orjson.loads(recorded(name))
