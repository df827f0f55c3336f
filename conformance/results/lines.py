"""The lines of ``results.jsonl``: a header, what was learned, objects, cells as they are judged, and a footer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.judge.conclusion import Conclusion
from conformance.model.addresses import Family
from conformance.model.case import Profile
from conformance.model.effort import Effort
from conformance.model.facts import Facts
from conformance.model.result import Result
from conformance.model.verdict import Status

JSON = dict[str, Any]
SCHEMA = 1
"""Raised when a line changes its meaning; what is only added does not raise it, and readers pass over it."""


@dataclass(frozen=True, slots=True)
class Header:
    """The run: ``kit`` is its version, ``nodes`` those asked in the order of their roles a, b, c.

    ``options`` are those that were given, by name, ``again`` those that ask the same cluster again, as words of a
    shell; of commands that reach external clients both hold the program alone, for its arguments may be credentials.
    ``started`` is UTC in ISO 8601; ``facts`` what was known by then.
    """

    schema: int
    kit: str
    started: str
    profile: Profile
    seed: int
    nodes: tuple[str, ...]
    families: tuple[Family, ...]
    facts: Facts
    options: Mapping[str, str] = field(default_factory=dict)
    again: str = ""


@dataclass(frozen=True, slots=True)
class Learned:
    """All facts, with what the run's own pods could tell: they replace the header's."""

    facts: Facts


@dataclass(frozen=True, slots=True)
class Objects:
    """A Service and its EndpointSlices as the API had them in one step of the run; cells name them by ``id``."""

    id: str
    objects: tuple[JSON, ...]


@dataclass(frozen=True, slots=True)
class Footer:
    """The end: ``planned`` cells were to be judged; ``counts`` by status; ``complete`` False after an interrupt.

    ``effort`` is all that the run has cost before its reports were written.
    """

    ended: str
    seconds: float
    planned: int
    complete: bool
    counts: Mapping[Status, int]
    conclusion: Conclusion
    exit_code: int
    effort: Effort = field(default_factory=Effort)


Line = Header | Learned | Objects | Result | Footer
KINDS: Mapping[str, type[Line]] = {
    "header": Header,
    "facts": Learned,
    "objects": Objects,
    "cell": Result,
    "footer": Footer,
}
"""What a line's ``type`` says."""
