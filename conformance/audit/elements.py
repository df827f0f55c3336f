"""Whether sets and maps hold what the API's objects ask for, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.audit import frame
from conformance.audit.finding import Kind
from conformance.audit.names import Owners, owner, told_key
from conformance.audit.place import Place
from conformance.audit.report import Report
from conformance.audit.routes import Difference, Routes
from conformance.audit.steps import Verdict
from conformance.audit.table import Container, Element, Key, Table
from conformance.audit.wants import EXCLUSIVE, Answer, Claim, Member, Route, Wants
from conformance.model.addresses import contains

_NO_CONTAINER = Container("", ())


class Elements:
    """Compares every element of one table with the claims to it."""

    def __init__(self, table: Table, place: Place, wanted: Wants, routes: Routes, report: Report) -> None:
        self._table, self._place, self._wanted, self._routes, self._report = table, place, wanted, routes, report
        self._owners = Owners(place.state.services.values(), place.family)

    def compare(self, name: str) -> None:
        """Report on the elements of the container ``name``."""
        container = self._table.containers.get(name)
        if container is None:
            return
        claims = self._wanted.claims.get(name, {})
        for key, them in claims.items():
            element = container.elements.get(key)
            if element is None:
                self._absent(name, key, them)
            else:
                self._present(name, element, them)
        for key, element in container.elements.items():
            if key not in claims and not self._tolerated(name, key):
                about = self._owners.of(element)
                self._report.add(Kind.STALE, about, _where(name, key), _told(element), "", frame.frame_source(name))
        for key in container.repeated:
            about = self._owners.of(container.elements[key])
            self._report.add(Kind.DUPLICATED, about, _where(name, key), "twice", "once", frame.frame_source(name))

    def _absent(self, name: str, key: Key, claims: Sequence[Claim]) -> None:
        if all(c.optional for c in claims):
            return
        if self._wanted.contested(key):
            other = self._table.containers.get(EXCLUSIVE.get(name, ""), _NO_CONTAINER)
            if key in other.elements:
                return
        claim = next(c for c in claims if not c.optional)
        self._report.add(Kind.MISSING, claim.object, _where(name, key), "", _asked(claim), claim.source)

    def _present(self, name: str, element: Element, claims: Sequence[Claim]) -> None:
        least: tuple[Claim, tuple[Difference, ...]] | None = None
        for claim in claims:
            for want in claim.wants:
                if isinstance(want, Member):
                    return
                if element.verdict is None:
                    differences: tuple[Difference, ...] = (Difference(Kind.ALTERED, "no verdict", _asked(claim)),)
                else:
                    protocol = str(element.key[-2])
                    differences = self._routes.differences(claim.object, want, element.verdict, protocol)
                if not differences:
                    return
                if least is None or len(differences) < len(least[1]):
                    least = claim, differences
        if least is not None:
            claim, differences = least
            for one in differences:
                where = _where(name, element.key, element.verdict)
                source = one.source or claim.source
                self._report.add(one.kind, claim.object, where, one.there, one.expected, source)

    def _tolerated(self, name: str, key: Key) -> bool:
        """Whether the element may be for an address of the node that the API does not know."""
        ranges = self._place.node_port_ranges if name == frame.NODEPORT_IPS else ()
        try:
            return any(contains(r, str(key[0])) for r in ranges)
        except ValueError:  # no address at all
            return False


def _where(name: str, key: Key, verdict: Verdict | None = None) -> str:
    onward = f" -> {verdict.target}" if verdict is not None and owner(verdict.target) else ""
    return f"{name} {{ {told_key(key)} }}{onward}"


def _told(element: Element) -> str:
    verdict = element.verdict
    return f"{told_key(element.key)} : {verdict.kind} {verdict.target}".strip() if verdict else told_key(element.key)


def _asked(claim: Claim) -> str:
    want = claim.wants[0]
    if isinstance(want, Answer):
        return want.verdict
    if isinstance(want, Member):
        return "an element"
    return "a route to its endpoints" if isinstance(want, Route) else "a check of the source ranges"
