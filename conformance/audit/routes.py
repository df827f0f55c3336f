"""Whether the ways through the chains are those that a Service port asks for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from conformance.audit.finding import Kind
from conformance.audit.names import owner
from conformance.audit.place import Place
from conformance.audit.steps import Match, Verdict
from conformance.audit.table import Container, Table
from conformance.audit.walk import NOTHING, TO, End, Ends, Fate, Sender, Walker
from conformance.audit.wants import Address, Admits, Answer, Route, Way
from conformance.model.source import Source
from conformance.spec import sources as cite

# nft_dynset gives a set without a size of its own this one (net/netfilter/nf_tables_api.c, nft's own default).
_AFFINITY_SIZE = 65535


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which the table does something else; ``source`` overrides the claim's own."""

    kind: Kind
    there: str
    expected: str
    source: Source | None = None


class Routes:
    """Compares with one table; an affinity set belongs to the first endpoint of a Service port that uses it."""

    def __init__(self, table: Table, place: Place, walker: Walker) -> None:
        self._table, self._place, self._walker = table, place, walker
        self._affinity: dict[str, tuple[str, Address]] = {}
        self._senders = [Sender(p, n) for p in ([False, True] if place.pods else [False]) for n in (False, True)]

    def differences(
        self, about: str, want: Route | Answer | Admits, verdict: Verdict, protocol: str
    ) -> tuple[Difference, ...]:
        """How ``verdict``, which the table gives to packets of ``about``, differs from ``want``."""
        if isinstance(want, Admits):
            found = self._admission(want, verdict)
        elif isinstance(want, Answer):
            found = self._answer(want, verdict, protocol)
        else:
            found = self._route(about, want, verdict, protocol)
        return tuple(dict.fromkeys((*found, *_stranger(about, verdict))))

    def _answer(self, want: Answer, verdict: Verdict, protocol: str) -> Iterator[Difference]:
        fate = self._walker.verdict(verdict, protocol, self._senders[0])
        if fate.pins or list(fate.ends) != [End(want.verdict)]:
            yield Difference(Kind.ALTERED, told_ends(fate.ends), want.verdict)

    def _admission(self, want: Admits, verdict: Verdict) -> Iterator[Difference]:
        expected = Match(f"{self._place.ip} saddr", want.ranges, negated=True), Verdict("drop")
        chain = self._table.chains.get(verdict.target)
        said = f"drops all but {_listed(want.ranges)}"
        if verdict.kind not in {"goto", "jump"} or chain is None:
            yield Difference(Kind.ALTERED, f"{verdict.kind} {verdict.target}".strip(), said)
            return
        self._walker.reached[chain.name] = len(chain.rules)
        for rule in chain.rules:
            if rule == expected:
                continue
            if len(rule) == len(expected) and isinstance(rule[0], Match) and rule[0].subject == expected[0].subject:
                what = f"{'all but ' if rule[0].negated else ''}{_listed(rule[0].values)}"
                yield Difference(Kind.ALTERED, f"{rule[1].kind if isinstance(rule[1], Verdict) else '?'}s {what}", said)
            else:
                self._walker.strange[chain.name, chain.rules.index(rule)] = rule
        if not chain.rules:
            yield Difference(Kind.MISSING, "an empty chain", said)

    def _route(self, about: str, want: Route, verdict: Verdict, protocol: str) -> Iterator[Difference]:
        asked: list[tuple[Fate, Way]] = []
        for sender in self._senders:
            fate = self._walker.verdict(verdict, protocol, sender)
            way = want.way(sender)
            if any(fate is known and way == same for known, same in asked):
                continue
            asked.append((fate, way))
            yield from self._ends(fate, way, sender)
            yield from self._memory(about, want, way, fate)

    def _mark(self, way: Way) -> int:
        return self._place.mark if way.masqueraded else 0

    def _ends(self, fate: Fate, way: Way, sender: Sender) -> Iterator[Difference]:
        mark = self._mark(way)
        found = {(e.ip, e.port) for e in fate.ends if e.verdict == TO}
        expected = _told_way(way, mark)
        there = told_ends(fate.ends)
        if all(e.verdict in {TO, NOTHING} for e in fate.ends) and found and found != way.endpoints:
            yield Difference(Kind.WRONG_ENDPOINTS, _endpoints(found), _endpoints(way.endpoints), cite.READY)
        elif not way.endpoints:
            if any(e.verdict != NOTHING for e in fate.ends):
                yield Difference(Kind.ALTERED, f"{_who(sender)}: {there}", expected)
        elif found != way.endpoints or len(set(fate.ends.values())) > 1 or len(fate.ends) != len(found):
            yield Difference(Kind.ALTERED, f"{_who(sender)}: {there}", expected)
        elif any(e.mark != mark for e in fate.ends):
            yield Difference(Kind.ALTERED, f"{_who(sender)}: {there}", expected, cite.SOURCE_IP)

    def _memory(self, about: str, want: Route, way: Way, fate: Fate) -> Iterator[Difference]:
        remembered = {(e.ip, e.port): e.remembers for e in fate.ends if e.verdict == TO and e.remembers}
        if want.affinity_seconds is None:
            if fate.pins or remembered:
                yield Difference(Kind.ALTERED, "clients are remembered", "no session affinity", cite.SESSION_AFFINITY)
            return
        pinned: dict[Address, str] = {}
        for name, ends in fate.pins.items():
            (end, *others) = ends
            address = (end.ip, end.port)
            if others or end.verdict != TO or address not in way.endpoints:
                expected = f"one of {_endpoints(way.endpoints)}"
                there = f"clients in {name}: {told_ends(ends)}"
                yield Difference(Kind.WRONG_ENDPOINTS, there, expected, cite.SESSION_AFFINITY)
                continue
            pinned.setdefault(address, name)
            # New clients have to be remembered, and those that are, anew.
            for operations in dict.fromkeys((remembered.get(address, ()), end.remembers)):
                if operations != (("update", name),):
                    words = " and ".join(f"{how} {which}" for how, which in operations) or "no set"
                    there = f"clients of {_address(address)} are put into: {words}"
                    yield Difference(Kind.ALTERED, there, f"update {name}", cite.SESSION_AFFINITY)
            if end.mark != self._mark(way):
                there = f"clients in {name}: {told_ends(ends)}"
                yield Difference(Kind.ALTERED, there, _told_way(way, self._mark(way)), cite.SOURCE_IP)
            yield from self._set(about, name, address, want.affinity_seconds)
        for address in sorted(way.endpoints & remembered.keys() - pinned.keys()):
            there = f"clients of {_address(address)} are not sent there again"
            yield Difference(Kind.ALTERED, there, f"all of one client to {_address(address)}", cite.SESSION_AFFINITY)
        for address in sorted(way.endpoints - remembered.keys() - pinned.keys()):
            there = f"clients of {_address(address)} are not remembered"
            yield Difference(Kind.ALTERED, there, f"remembered for {want.affinity_seconds} s", cite.SESSION_AFFINITY)

    def _set(self, about: str, name: str, address: Address, seconds: int) -> Iterator[Difference]:
        found = self._table.containers.get(name)
        if found is None:
            yield Difference(Kind.MISSING, "", f"set {name}", cite.SESSION_AFFINITY)
            return
        wanted = Container(name, (self._place.address_type,), timeout=seconds, size=_AFFINITY_SIZE)
        if (found.type, found.timeout, found.size, found.is_map) != (wanted.type, seconds, wanted.size, False):
            yield Difference(Kind.ALTERED, _told_set(found), _told_set(wanted), cite.AFFINITY_TIMEOUT)
        owner = self._affinity.setdefault(name, (about, address))
        if owner != (about, address):
            there = f"{name} also remembers the clients of {owner[0]} at {_address(owner[1])}"
            yield Difference(Kind.ALTERED, there, f"a set of its own for {_address(address)}", cite.SESSION_AFFINITY)


def _stranger(about: str, verdict: Verdict) -> Iterator[Difference]:
    """Today another Service's chain may lead to the same endpoints; it changes with the other's."""
    other = owner(verdict.target)
    if other and other != about:
        yield Difference(Kind.ALTERED, f"goes by a chain of {other}", "goes by a chain of its own")


def told_ends(ends: Ends) -> str:
    """Every end with its share, in stable order."""
    each = (_told_end(end) if share == 1 else f"{_told_end(end)} ({share})" for end, share in ends.items())
    return ", ".join(sorted(each))


def _told_end(end: End) -> str:
    what = f"to {_address((end.ip, end.port))}" if end.verdict == TO else end.verdict
    return f"{what}, mark {end.mark:#x}" if end.mark else what


def _told_way(way: Way, mark: int) -> str:
    if not way.endpoints:
        return NOTHING
    return f"to {_endpoints(way.endpoints)}, equally, {f'mark {mark:#x}' if mark else 'no mark'}"


def _told_set(found: Container) -> str:
    return f"{' . '.join(found.type)}, timeout {found.timeout} s, size {found.size}"


def _who(sender: Sender) -> str:
    if sender.pod:
        return "pods" if not sender.local else "the node's own addresses in the pod network"
    return "the node itself" if sender.local else "others"


def _address(address: Address) -> str:
    ip, port = address
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _endpoints(addresses: frozenset[Address] | set[Address]) -> str:
    return _listed({_address(a) for a in addresses})


def _listed(texts: frozenset[str] | set[str]) -> str:
    return ", ".join(sorted(texts)) or "none"
