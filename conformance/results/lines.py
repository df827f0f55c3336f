"""The lines of ``results.jsonl``: a header, what was learned, objects, evidence, cells as judged, and a footer."""

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
from conformance.model.way import Divergence, Way

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
class EndpointPod:
    """A pod of an endpoint, as the API had it when the cell failed."""

    name: str
    node: str
    ready: bool
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NodeState:
    """What a node had for a Service, in words much like nft's; ``unread`` says what could not be read, and why.

    ``role`` is the node's in the run (a, b, c); ``conntrack`` are the entries of the dial.
    """

    node: str
    role: str
    rules: tuple[str, ...] = ()
    conntrack: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was there when the cell ``id`` failed, before anything was taken away.

    ``owed`` is what the rules had to do with the dial, ``ways`` what they did when it was made once more (``dialled``
    says how that ended), ``divergence`` the first difference. ``untraced`` says why there are no ways.
    """

    id: str
    pods: tuple[EndpointPod, ...] = ()
    nodes: tuple[NodeState, ...] = ()
    owed: str = ""
    dialled: str = ""
    ways: tuple[Way, ...] = ()
    divergence: Divergence = field(default_factory=Divergence)
    untraced: str = ""


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


Line = Header | Learned | Objects | Evidence | Result | Footer
KINDS: Mapping[str, type[Line]] = {
    "header": Header,
    "facts": Learned,
    "objects": Objects,
    "evidence": Evidence,
    "cell": Result,
    "footer": Footer,
}
"""What a line's ``type`` says."""
