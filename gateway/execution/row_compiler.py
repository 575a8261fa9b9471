"""Writes plans for rows that are still bytes. Pure.

Source of the idea: msgspec decodes into a Struct just the keys that it has,
and encodes a Struct for less than a dict.
"""

from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import msgspec

from gateway.execution.compiler import Compiler, Lines, NotCoveredError

DEFAULTS = bool | int | str | None

RowDecoder = Callable[[bytes, str], Sequence[object]]


class RowCompiler(Compiler):
    """The function of one selection whose fields read one key each."""

    def __init__(self) -> None:
        """Begin with no key."""
        super().__init__(_no_subfields)
        self._keys: dict[str, tuple[str, object]] = {}

    def decoder(self) -> RowDecoder:
        """Return what decodes the rows under a key of an answer.

        It raises msgspec's DecodeError for an answer of another form.
        """
        row = msgspec.defstruct(
            "Row",
            [(name, Any, default) for name, default in self._keys.values()],
            rename={name: key for key, (name, _) in self._keys.items()},
            gc=False,
        )
        decoders: dict[str, msgspec.json.Decoder[Any]] = {}

        def decode(content: bytes, key: str) -> Sequence[object]:
            if key not in decoders:
                fields = [("rows", list[row])]  # type: ignore[valid-type]
                rename = {"rows": key}
                answer = msgspec.defstruct("Answer", fields, rename=rename, gc=False)
                decoders[key] = msgspec.json.Decoder(answer)
            rows: Sequence[object] = decoders[key].decode(content).rows
            return rows

        return decode

    def _write(
        self, name: str, lines: Lines, values: Sequence[tuple[str, str]]
    ) -> None:
        fields = [f"field{number}" for number in range(len(values))]
        response_names = (response_name for response_name, _ in values)
        answer = msgspec.defstruct(
            name,
            [(field, Any) for field in fields],
            rename=dict(zip(fields, response_names, strict=True)),
            gc=False,
        )
        made = self._constant("Answer", answer)
        arguments = ", ".join(value for _, value in values)
        self._define(name, [*lines, f"return {made}({arguments})"])

    def _access(self, key: str, default: object, *, is_needed: bool) -> str:
        """Return what reads a key; a missing one that is needed is null, so odd."""
        del is_needed
        fresh = f"key{len(self._keys)}", default
        name, other = self._keys.setdefault(key, fresh)
        if other is not default or not isinstance(default, DEFAULTS):
            raise NotCoveredError
        return f"record.{name}"

    def _call(self, *_: object) -> NoReturn:
        raise NotCoveredError

    def _object(self, *_: object) -> NoReturn:
        raise NotCoveredError


def _no_subfields(*_: object) -> NoReturn:
    raise NotCoveredError
