"""What a question came back with, and careful ways into it: what is inside was written by anybody."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import Any, Generic, TypeVar

import yaml

from conformance.model.facts import Fact, unknown
from conformance.model.printable import short

T = TypeVar("T")
JSON = dict[str, Any]
_DENIED = "not permitted: grant "
LARGEST = 1 << 16
"""Characters of a configuration: a real one has a few thousand, and a ConfigMap's megabyte would take PyYAML long."""


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What was found, and where; with ``found`` None, ``where`` says why there is nothing."""

    found: T | None
    where: str


def at(obj: object, *path: str) -> Any:  # noqa: ANN401  JSON
    """What lies at ``path`` in a tree of mappings, None where the way ends."""
    for step in path:
        obj = obj.get(step) if isinstance(obj, dict) else None
    return obj


def text(value: object) -> str:
    """A scalar as YAML would spell it; empty for None and for what is no scalar, however large."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""


def words(value: object) -> tuple[str, ...]:
    """A list of scalars, or a text with commas, as words."""
    parts = value if isinstance(value, list) else text(value).split(",")
    return tuple(word for word in (text(part).strip() for part in parts) if word)


def true(value: object) -> bool:
    """Whether ``value`` says yes, as a boolean or as a text."""
    return text(value).lower() == "true"


def mapping(document: object) -> JSON | None:
    """The mapping that a text in YAML or JSON holds, None when it holds something else or cannot be read."""
    words = text(document)
    if len(words) > LARGEST:
        return None
    try:
        parsed = yaml.safe_load(words)
    except (yaml.YAMLError, ValueError, RecursionError):  # ValueError: a date or number that is none
        return None
    return parsed if isinstance(parsed, dict) else None


def dicts(value: object) -> list[JSON]:
    """The mappings in a list; empty for anything else."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def networks(found: tuple[str, ...], where: str, *besides: str) -> Fact[tuple[str, ...]]:
    """Addresses or CIDRs as a fact, unknown when one is neither, nor a word of ``besides``."""
    for word in found:
        try:
            ip_network(word, strict=False)
        except ValueError:
            if word not in besides:
                return unknown(f"{where}: '{short(word)}' is no address")
    return Fact(found, where)


def denied(grant: str) -> str:
    """The reason for a refusal: the permission that would help."""
    return f"{_DENIED}'{grant}'"


def reasons(*where: str) -> str:
    """Several reasons as one, none twice; permissions that lack are told together."""
    each = dict.fromkeys(part for one in where for part in one.split("; ") if part)
    grants = [part.removeprefix(_DENIED) for part in each if part.startswith(_DENIED)]
    others = [part for part in each if not part.startswith(_DENIED)]
    return "; ".join([*others, *([_DENIED + ", ".join(grants)] if grants else [])])


def listed(names: Iterable[str]) -> str:
    """Several names in a sentence, none twice: ``a, b and c``."""
    *others, last = dict.fromkeys(names)
    return f"{', '.join(others)} and {last}" if others else last


def joined(names: Iterable[str]) -> str:
    """Several names as the value of one fact, none twice."""
    return " + ".join(dict.fromkeys(names))
