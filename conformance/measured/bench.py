"""A bench as its lines tell it, whole or truncated; whoever wrote them may have meant harm."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from conformance.errors import UsageError
from conformance.measured.lines import KINDS, SCHEMA, Footer, Header, Line
from conformance.results.codec import Malformed, decode, encode

T = TypeVar("T")
_NAMES = {kind: name for name, kind in KINDS.items()}
_HEADER = _NAMES[Header]
_REMEDY = "Name a bench.jsonl that `nftconform bench` has written."


@dataclass(frozen=True, slots=True)
class Bench:
    """What is known of a bench, in the order in which it was measured. ``footer`` None: the file is truncated."""

    header: Header
    lines: tuple[Line, ...]
    footer: Footer | None = None

    def of(self, kind: type[T]) -> Iterator[T]:
        """All lines of one kind."""
        return (line for line in self.lines if isinstance(line, kind))

    @property
    def troubles(self) -> tuple[str, ...]:
        """What is wrong with it as a whole, a sentence each."""
        if self.footer is None:
            return ("The file is truncated: it has no footer.",)
        if not self.footer.complete:
            return (f"Not everything was measured: {self.footer.fault.rstrip('.') or 'it was interrupted'}.",)
        return ()


def dump(line: Line) -> str:
    """``line`` as one line of ASCII, without a newline."""
    return json.dumps({"type": _NAMES[type(line)]} | encode(line), separators=(",", ":"), allow_nan=False)


def begins(first: str) -> bool:
    """Whether this is the first line of a bench rather than of a run."""
    try:
        plain = json.loads(first)
    except (ValueError, RecursionError):
        return False
    return isinstance(plain, dict) and plain.get("type") == _HEADER


def read(lines: Iterable[str], name: str) -> Bench:
    """The bench that ``lines`` tell; an unfinished last line is passed over. `UsageError` with one sentence."""
    found: list[Line] = []
    broken = ""
    for number, text in enumerate(lines, 1):
        if broken:
            raise UsageError(f"{name}, line {number - 1}: {broken}.", _REMEDY)
        try:
            found += _parse(text)
        except Malformed as fault:
            broken = str(fault)  # of the last line it only says that the bench was killed
    if not found or not isinstance(found[0], Header):
        raise UsageError(f"{name} is no bench: it does not begin with a header.", _REMEDY)
    header, rest = found[0], found[1:]
    if header.schema > SCHEMA:
        raise UsageError(f"{name} was written by a newer nftconform ({header.kit}).", "Install that version.")
    footer = rest.pop() if rest and isinstance(rest[-1], Footer) else None
    if any(isinstance(line, Header | Footer) for line in rest):
        raise UsageError(f"{name} holds more than one bench.", _REMEDY)
    places = {place.name for place in header.places}
    if any(getattr(line, "place", "") not in {"", *places} for line in rest):
        raise UsageError(f"{name} measures a place that its header does not name.", _REMEDY)
    return Bench(header, tuple(rest), footer if isinstance(footer, Footer) else None)


def _parse(text: str) -> list[Line]:
    """One line, or none of a type that this kit does not know. Raises `Malformed`."""
    try:
        plain = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"it is no JSON ({type(error).__name__})") from error
    if not isinstance(plain, dict) or not isinstance(plain.get("type"), str):
        raise Malformed('it is no object with a "type"')
    kind = KINDS.get(plain["type"])
    return [] if kind is None else [decode(kind, plain, plain["type"])]
