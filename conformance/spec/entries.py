"""The entries of the kit's TOML documents, read strictly: a person wrote them, and one sentence tells a mistake."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from datetime import date
from enum import Enum
from typing import Any, TypeVar

from conformance.errors import UsageError
from conformance.model.cluster import ProxyMode
from conformance.model.release import Release, release

E = TypeVar("E", bound=Enum)
T = TypeVar("T")
Entry = dict[str, Any]

_VERSION = re.compile(r"v?\d+\.\d+(\.\d+)?")


def tables(text: str, name: str, *kinds: str) -> dict[str, list[tuple[Entry, str]]]:
    """The ``[[kind]]`` tables of a document called ``name``, each with the words that name it in an error."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise malformed(f"{name} is no TOML: {error}.") from error
    found: dict[str, list[tuple[Entry, str]]] = {}
    unknown = sorted(document.keys() - set(kinds))
    for kind in kinds:
        plain = document.get(kind, [])
        if unknown or not isinstance(plain, list) or not all(isinstance(one, dict) for one in plain):
            expected = " and ".join(f"[[{one}]]" for one in kinds)
            raise malformed(f"{name} holds {', '.join(unknown) or kind}, where only {expected} tables are expected.")
        found[kind] = [(one, f"{name}: {kind} {number}") for number, one in enumerate(plain, 1)]
    return found


def only(plain: Entry, known: set[str], where: str) -> None:
    """`UsageError` when the entry says anything besides ``known``."""
    unknown = sorted(plain.keys() - known)
    if unknown:
        raise malformed(f"{where} says {', '.join(unknown)}, which means nothing.")


def need(plain: Entry, key: str, parse: Callable[[Any], T | None], where: str, form: str) -> T:
    """What ``key`` says; `UsageError` when it lacks or is not of the ``form``."""
    if key not in plain:
        raise malformed(f"{where} has no {key}, which is {form}.")
    value = parse(plain[key])
    if value is None:
        raise malformed(f"{where} has {key} = {plain[key]!r}, which is not {form}.")
    return value


def may(plain: Entry, key: str, parse: Callable[[Any], T | None], where: str, form: str, default: T) -> T:
    """The same, or ``default`` where the entry does not say it."""
    return need(plain, key, parse, where, form) if key in plain else default


def malformed(cause: str) -> UsageError:
    """The error for a document that a person has to mend."""
    return UsageError(cause, "Correct that file.")


def sentence(value: object) -> str | None:
    """A text that says something."""
    return value if isinstance(value, str) and value.strip() else None


def truth(value: object) -> bool | None:
    """``true``: what is not so is left out."""
    return True if value is True else None


def link(value: object) -> str | None:
    """An address that a reader can follow."""
    return value if isinstance(value, str) and value.startswith("https://") else None


def day(value: object) -> date | None:
    """A day."""
    return value if type(value) is date else None  # a datetime is a date as well, but says more than is meant


def version(value: object) -> Release | None:
    """A version."""
    return release(value) if isinstance(value, str) and _VERSION.fullmatch(value) else None


def names(value: object) -> tuple[str, ...] | None:
    """Words, at least one."""
    ok = isinstance(value, list) and value and all(isinstance(one, str) and one for one in value)
    return tuple(value) if ok and isinstance(value, list) else None


def modes(value: object) -> tuple[ProxyMode, ...] | None:
    """Modes of kube-proxy."""
    found = names(value)
    known = {mode.value: mode for mode in ProxyMode}
    return tuple(known[n] for n in found) if found and all(n in known for n in found) else None


def member(kind: type[E]) -> Callable[[object], E | None]:
    """One of a closed enum's values."""
    known = {one.value: one for one in kind}
    return lambda value: known.get(value) if isinstance(value, str) else None


def values(kind: type[E]) -> str:
    """The form of `member`, for an error."""
    return "one of " + ", ".join(str(one.value) for one in kind)
