"""What is known of other components beside kube-proxy's nftables mode, and of that mode's bugs in the field: data."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import cache
from importlib import resources

from conformance.model.release import Release
from conformance.spec.concern import Concern
from conformance.spec.entries import Entry, day, link, malformed, may, member, need, only, sentence, tables, values
from conformance.spec.entries import version as release

_FILE = "interplay.toml"
_COMPONENT = {"name", "is", "verdict", "since", "dataplane", "otherwise", "told", "remedy", "link", "as_of", "review"}
_BUG = {"since", "before", "concerns", "verdict", "summary", "remedy", "link"}


class Part(Enum):
    """What a component is in a cluster."""

    CNI = "cni"
    POLICY = "policy"
    DNS = "dns"
    SYSTEM = "system"  # a node's operating system


class Verdict(Enum):
    """What its own side says of kube-proxy's nftables mode, or the field where that side says nothing."""

    WORKS = "works"
    WARNING = "warning"  # it works with something to look at, or nobody promises that it goes on
    BLOCKER = "blocker"
    UNTOLD = "untold"  # nobody says


@dataclass(frozen=True, slots=True)
class Component:
    """One component: ``verdict`` holds from version ``since`` on and with ``dataplane``, ``otherwise`` where not.

    ``dataplane`` is how the fact ``cni_dataplane`` must begin. ``told`` is the reason, ``link`` where it can be read
    (on the day ``as_of``); after ``review`` nobody should believe it without another look.
    """

    name: str
    part: Part
    verdict: Verdict
    told: str
    remedy: str
    link: str
    as_of: date
    review: date
    since: Release | None = None
    dataplane: str = ""
    otherwise: Verdict = Verdict.BLOCKER


@dataclass(frozen=True, slots=True)
class Bug:
    """A bug of kube-proxy's nftables mode that no cell meets: versions from ``since`` on, below ``before``."""

    since: Release
    concerns: Concern
    verdict: Verdict
    summary: str
    remedy: str
    link: str
    before: Release | None = None

    def is_in(self, version: Release) -> bool:
        """Whether that version of kube-proxy has it."""
        return self.since <= version and (self.before is None or version < self.before)


@dataclass(frozen=True, slots=True)
class Interplay:
    """All that the file holds."""

    components: tuple[Component, ...]
    bugs: tuple[Bug, ...]

    def component(self, part: Part, name: str) -> Component | None:
        """The entry of a component, None for one that nobody has looked up."""
        return next((c for c in self.components if c.part is part and c.name == name), None)


@cache
def known() -> Interplay:
    """What the kit's own file holds."""
    return read(resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"), _FILE)


def read(text: str, name: str) -> Interplay:
    """The content of a TOML document called ``name``; `UsageError` with one sentence when it is malformed."""
    found = tables(text, name, "component", "bug")
    components = tuple(_component(plain, where) for plain, where in found["component"])
    seen: set[tuple[Part, str]] = set()
    for one in components:
        if (one.part, one.name) in seen:
            raise malformed(f"{name} holds the {one.part.value} {one.name} twice.")
        seen.add((one.part, one.name))
    return Interplay(components, tuple(_bug(plain, where) for plain, where in found["bug"]))


def _component(plain: Entry, where: str) -> Component:
    only(plain, _COMPONENT, where)
    one = Component(
        name=need(plain, "name", sentence, where, "the name that facts give it"),
        part=need(plain, "is", member(Part), where, values(Part)),
        verdict=need(plain, "verdict", member(Verdict), where, values(Verdict)),
        told=need(plain, "told", sentence, where, "a sentence"),
        remedy=need(plain, "remedy", sentence, where, "a sentence"),
        link=need(plain, "link", link, where, "an https:// address"),
        as_of=need(plain, "as_of", day, where, "a date such as 2026-11-27, without quotes"),
        review=need(plain, "review", day, where, "a date such as 2027-06-30, without quotes"),
        since=may(plain, "since", release, where, 'a version such as "1.23"', None),
        dataplane=may(plain, "dataplane", sentence, where, "the beginning of the fact cni_dataplane", ""),
        otherwise=may(plain, "otherwise", member(Verdict), where, values(Verdict), Verdict.BLOCKER),
    )
    if one.review <= one.as_of:
        raise malformed(f"{where} is to be looked at again on {one.review}, which is not after {one.as_of}.")
    if "otherwise" in plain and not one.since and not one.dataplane:
        raise malformed(f"{where} has an otherwise, but neither since nor dataplane.")
    return one


def _bug(plain: Entry, where: str) -> Bug:
    only(plain, _BUG, where)
    one = Bug(
        since=need(plain, "since", release, where, 'a version such as "1.29"'),
        before=may(plain, "before", release, where, 'a version such as "1.35"', None),
        concerns=need(plain, "concerns", member(Concern), where, values(Concern)),
        verdict=need(plain, "verdict", member(Verdict), where, values(Verdict)),
        summary=need(plain, "summary", sentence, where, "a sentence"),
        remedy=need(plain, "remedy", sentence, where, "a sentence"),
        link=need(plain, "link", link, where, "an https:// address"),
    )
    if one.before is not None and one.before <= one.since:
        raise malformed(f"{where} ends before {plain['before']}, which is not after its beginning {plain['since']}.")
    return one
