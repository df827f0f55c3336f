"""The table of behaviours that a Service network may be held to, and why this kit leaves some of them unchecked."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from conformance.model.case import Case, Matrix

_FILE = "coverage.toml"
_KEYS = {"behaviour", "unique", "unchecked"}


@dataclass(frozen=True, slots=True)
class Row:
    """One behaviour; ``unique``: no peer checks it; ``unchecked``: why no case of ours does, empty if one has to."""

    id: str
    group: str
    behaviour: str
    unique: bool = False
    unchecked: str = ""


@cache
def table() -> tuple[Row, ...]:
    """All rows, in the table's order."""
    return read(resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))


def read(text: str) -> tuple[Row, ...]:
    """The rows of a table in TOML: a letter a group, with its ``title`` and its rows by ID.

    Raises `ValueError` with one sentence when a row is not of that form.
    """
    rows = []
    for letter, group in tomllib.loads(text).items():
        title = group.get("title") if isinstance(group, dict) else None
        if not isinstance(title, str) or not title:
            raise ValueError(f"coverage group {letter} has no title")
        rows += [_row(name, letter, title, plain) for name, plain in group.items() if name != "title"]
    return tuple(rows)


def covered(cases: Iterable[Case | Matrix]) -> dict[str, list[str]]:
    """By row ID, the cases and matrices that say they cover it, in the order given."""
    found: dict[str, list[str]] = {}
    for case in cases:
        for row in case.covers:
            found.setdefault(row, []).append(case.id)
    return found


def disagreements(rows: Iterable[Row], covered: Mapping[str, Iterable[str]]) -> list[str]:
    """A sentence for each row that has both a case and a reason, or neither, and for each ID that is no row.

    ``covered`` holds, by row ID, the cases and matrices that say they cover it.
    """
    by_id = {row.id: row for row in rows}
    said = [f"{', '.join(covered[name])}: there is no row {name}" for name in sorted(covered.keys() - by_id.keys())]
    for row in by_id.values():
        cases = ", ".join(covered.get(row.id, ()))
        if cases and row.unchecked:
            said.append(f"{row.id} is covered by {cases}, and has a reason why it is not: {row.unchecked}")
        if not cases and not row.unchecked:
            said.append(f"{row.id} has neither a case nor a reason: {row.behaviour}")
    return said


def _row(name: str, letter: str, title: str, plain: Any) -> Row:  # noqa: ANN401  whatever TOML holds
    if not (name.startswith(letter) and name[1:].isdigit()):
        raise ValueError(f"coverage row {name} is not numbered in its group {letter}")
    behaviour = plain.get("behaviour") if isinstance(plain, dict) else None
    if not isinstance(behaviour, str) or not behaviour:
        raise ValueError(f"coverage row {name} has no behaviour")
    unknown = sorted(plain.keys() - _KEYS)
    if unknown:
        raise ValueError(f"coverage row {name} says {', '.join(unknown)}, which means nothing")
    unchecked = plain.get("unchecked", "")
    if not isinstance(unchecked, str) or ("unchecked" in plain and not unchecked.strip()):
        raise ValueError(f"coverage row {name} is unchecked without a reason")
    return Row(name, title, behaviour, plain.get("unique") is True, unchecked)
