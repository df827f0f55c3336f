"""The way that a dial should have taken through the nodes' rules, and where it took another one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from conformance.judge.reached import name_of
from conformance.model.client import Destination, DestinationKind
from conformance.model.outcome import Dropped, Outcome, Pins, Reaches, Refused, RefusedBy, Target, Unanswered
from conformance.model.printable import short
from conformance.model.way import DROP, LAST, Divergence, Passage, Step, Way

_RULE = 200
"""Characters of a rule that a sentence has room for."""
# nftables: @affinity-...; iptables: xt_recent, as the trace tells it (nothing but its name) and as iptables-save does.
_REMEMBERS = re.compile(r"\bupdate @affinity-|recent")
_MASQUERADES = re.compile(r"masquerad|KUBE-POSTROUTING|\bsnat\b")
_ASKS = re.compile(r"saddr @affinity-")


@dataclass(frozen=True, slots=True)
class Trace:
    """What was seen of a dial: ``ways`` of its packets on the nodes that were ``watched``.

    ``entry`` is the node through which its packets enter, ``homes`` the node of each endpoint's address; ``lacking``
    says by node what its rules lack for the destination.
    """

    ways: tuple[Way, ...]
    watched: tuple[str, ...]
    entry: str
    homes: Mapping[str, str] = field(default_factory=dict)
    lacking: Mapping[str, str] = field(default_factory=dict)


def owed(outcome: Outcome, to: Destination, own: Sequence[str]) -> str:
    """What the rules have to do with a dial, in words; ``own`` are the client's addresses. Empty: no rule decides."""
    match outcome:
        case Reaches(targets) | Pins(targets) if targets:
            ends = ", ".join(sorted(f"{_socket(t.address, t.port)} ({name_of(t)})" for t in targets))
            if to.kind is DestinationKind.POD:
                return f"goes on to {ends} as it is; {_source(targets, own)}"
            chain = _CHAINS.get(to.kind, "a chain of the Service")
            return f"is translated to one of {ends} in {chain}; {_source(targets, own)}"
        case Refused(RefusedBy.RST):
            return "goes on to a closed port"
        case Refused():
            return "is rejected by a rule"
        case Dropped():
            return "is dropped by a rule"
        case Unanswered():
            return "is translated by no rule"
        case _:
            return ""


def diverged(outcome: Outcome, to: Destination, trace: Trace) -> Divergence:
    """Where the first packet went another way than `owed`; an empty sentence when it did not, or no rule decides."""
    return next(_divergences(outcome, to, trace), Divergence(""))


_CHAINS = {
    DestinationKind.CLUSTER_IP: "a chain service- or local-",
    DestinationKind.NODE_PORT: "a chain external-, service- or local-",
    DestinationKind.NODE_PORT_SECONDARY: "a chain external-, service- or local-",
    DestinationKind.NODE_PORT_LOOPBACK: "a chain external-, service- or local-",
    DestinationKind.EXTERNAL_IP: "a chain external-, service- or local-",
    DestinationKind.LOAD_BALANCER: "a chain external-, service- or local-",
}
"""Of kube-proxy's nftables mode."""


def _source(targets: frozenset[Target], own: Sequence[str]) -> str:
    kept = {bool(t.sources & set(own)) for t in targets if t.sources}
    if not own or len(kept) != 1:
        return "masqueraded or not, as the endpoint decides"
    return "its source address is kept" if kept.pop() else "it is masqueraded"


def _divergences(outcome: Outcome, to: Destination, trace: Trace) -> Iterator[Divergence]:
    if not isinstance(outcome, Reaches | Pins | Refused | Dropped | Unanswered):
        return
    decider = to.node or trace.entry
    asked = [(i, way) for i, way in enumerate(trace.ways) if _is_to(way, to.ip, to.port)]
    here = [(i, way) for i, way in asked if way.node == decider]
    if not asked:
        if decider in trace.watched:
            yield Divergence(
                f"never arrived: no packet to {_socket(to.ip, to.port)} came by on {_listed(trace.watched)}"
            )
        return
    if not here and decider in trace.watched:
        number, way = asked[-1]
        yield from _lost(number, way)
        yield Divergence(f"never arrived at {decider}: {way.node} {_went(way)}", number, len(way.passages) - 1)
        return
    match outcome:
        case Reaches(targets) | Pins(targets):
            tied = isinstance(outcome, Pins) or outcome.sticky
            yield from _astray(targets, to, trace, here or asked, tied=tied)
        case Refused(RefusedBy.RST):
            pass
        case Refused() | Dropped() | Unanswered():
            wanted = {Refused: "rejected", Dropped: "dropped"}.get(type(outcome), "left alone")
            yield from _let_pass(wanted, trace, here or asked)


def _astray(
    targets: frozenset[Target], to: Destination, trace: Trace, asked: Sequence[tuple[int, Way]], *, tied: bool
) -> Iterator[Divergence]:
    """Of packets that were to come to one of ``targets``."""
    ends = {(t.address, t.port): t for t in targets}
    for number, way in asked:
        last, at = way.last, _undecided(way)
        if to.kind is not DestinationKind.POD and not _translated(way) and at is not None:
            why = trace.lacking.get(way.node, "") or "no rule of kube-proxy's translated it"
            after = f"; then it was {_by(last)}" if last.end == DROP else f"; it {_went(way)}"
            chain = way.passages[at].chain
            yield Divergence(f"{way.node}: the packet left {chain} untranslated: {why}{after}", number, at)
        yield from _lost(number, way)
        if to.kind is not DestinationKind.POD and not _translated(way):
            yield Divergence(f"{way.node}: {_stuck(way)}", number, len(way.passages) - 1)
        elif (last.destination, last.port) not in ends:
            at, rule = _translation(way)
            named = _listed(sorted(_socket(*end) for end in ends)) or "nobody"
            text = f"{way.node}: translated to {_socket(last.destination, last.port)}, which is none of {named}{rule}"
            yield Divergence(text, number, at)
        else:
            yield from _masqueraded(ends[last.destination, last.port], number, way)
            yield from _onward(number, way, trace)
    yield from _chosen(ends, asked, tied=tied)


def _lost(number: int, way: Way) -> Iterator[Divergence]:
    """A drop or a rejection, by whom."""
    for at, passage in enumerate(way.passages):
        if passage.end == DROP:
            yield Divergence(f"{way.node}: {_by(passage)}", number, at)


def _by(passage: Passage) -> str:
    step = next((s for s in reversed(passage.steps) if s.verdict == DROP), Step(passage.chain, "", DROP))
    where = f"{passage.table} {step.chain}"
    if not step.rule:
        return f"dropped by {where} (policy drop)"
    return f"{'rejected' if _rejects(step) else 'dropped'} by {where}: {short(step.rule, _RULE)}"


def _rejects(step: Step) -> bool:
    return "reject" in step.rule.lower()


def _masqueraded(target: Target, number: int, way: Way) -> Iterator[Divergence]:
    before, after = way.first.source, way.last.source
    if not way.whole or not target.sources or after in target.sources:
        return
    wanted = _listed(sorted(target.sources))
    if after == before:
        text = f"left with its own source address {after}, which was to become {wanted}: no rule masqueraded it"
    else:
        text = f"its source address {before} became {after}, not {wanted}"
    places = [
        at for at, p in enumerate(way.passages) if any(_MASQUERADES.search(f"{s.chain} {s.rule}") for s in p.steps)
    ]
    yield Divergence(f"{way.node}: {text}", number, (places or [len(way.passages) - 1])[-1])


def _onward(number: int, way: Way, trace: Trace) -> Iterator[Divergence]:
    """Of a packet that was translated as it should be: whether it arrived, and whether its answer came back."""
    last, at = way.last, len(way.passages) - 1
    home = trace.homes.get(last.destination, way.node)
    if not way.whole:
        yield Divergence(f"{way.node}: {_stuck(way)}", number, at)
        return
    if home != way.node:
        if home not in trace.watched:
            return
        there = [(i, w) for i, w in enumerate(trace.ways) if w.node == home and _is_to(w, last.destination, last.port)]
        there = [(i, w) for i, w in there if w.first.source_port == last.source_port] or there
        if not there:
            yield Divergence(f"never arrived at {home}: {way.node} {_went(way)}", number, at)
            return
        number, way = there[0]
        yield from _lost(number, way)
        if not way.whole:
            yield Divergence(f"{home}: {_stuck(way)}", number, len(way.passages) - 1)
            return
        last, at = way.last, len(way.passages) - 1
    answers = [(i, w) for i, w in enumerate(trace.ways) if w.first.source == last.destination]
    if not any(answer.node == home for _, answer in answers):
        socket = _socket(last.destination, last.port)
        yield Divergence(f"{home}: handed on to {socket} {_by_wire(last)}, and no answer came back", number, at)
    for i, answer in answers:
        yield from _lost(i, answer)
        if not answer.whole:
            yield Divergence(f"{answer.node}: the answer {_stuck(answer)}", i, len(answer.passages) - 1)


def _chosen(
    ends: Mapping[tuple[str, int], Target], asked: Sequence[tuple[int, Way]], *, tied: bool
) -> Iterator[Divergence]:
    """Of several dials: that the rule which chooses an endpoint does not know all of them."""
    for number, way in asked:
        at, _ = _translation(way)
        choice = next((s.rule for p in way.passages for s in p.steps if "numgen" in s.rule), "")
        never = [_socket(*end) for end in sorted(ends) if not _mentions(choice, *end)] if choice else []
        if never:
            text = f"{way.node}: what chooses an endpoint does not know {_listed(never)}: {short(choice, _RULE)}"
            yield Divergence(text, number, at)
    chosen = {(way.last.destination, way.last.port) for _, way in asked}
    anew = any("numgen" in s.rule for _, w in asked[1:] for p in w.passages for s in p.steps)
    if tied and len(asked) > 1 and (anew or len(chosen) > 1):
        number, way = asked[-1]
        named = _listed(sorted(_socket(*end) for end in chosen))
        rules = [s.rule for _, w in asked for p in w.passages for s in p.steps]
        remembered = any(_REMEMBERS.search(rule) for rule in rules)
        how = "though a rule remembers the client: none asks it" if remembered else "and no rule remembers the client"
        how = "though a rule asks whom the client is tied to" if any(map(_ASKS.search, rules)) else how
        at, _ = _translation(way)
        yield Divergence(f"{way.node}: {len(asked)} dials were translated to {named}, {how}", number, at)


def _let_pass(wanted: str, trace: Trace, asked: Sequence[tuple[int, Way]]) -> Iterator[Divergence]:
    """Of packets that a rule was to reject or to drop."""
    for number, way in asked:
        dropped = next((i for i, p in enumerate(way.passages) if p.end == DROP), None)
        if dropped is not None:
            did = _by(way.passages[dropped])
            if not did.startswith(wanted):
                yield Divergence(f"{way.node}: {did}, where it was to be {wanted}", number, dropped)
        elif _translated(way):
            at, rule = _translation(way)
            socket = _socket(way.last.destination, way.last.port)
            yield Divergence(f"{way.node}: translated to {socket}, where it was to be {wanted}{rule}", number, at)
        elif wanted != "left alone":
            why = trace.lacking.get(way.node, "") or f"no rule {wanted} it"
            yield Divergence(f"{way.node}: not {wanted}: {why}; it {_went(way)}", number, len(way.passages) - 1)


def _is_to(way: Way, ip: str, port: int) -> bool:
    return way.first.destination == ip and way.first.port in (port, 0)


def _translated(way: Way) -> bool:
    return (way.first.destination, way.first.port) != (way.last.destination, way.last.port)


def _undecided(way: Way) -> int | None:
    """The base chain that should have translated it and let it go; None where it never came through one.

    What is lost before that is not lost for want of a translation.
    """
    for at, passage in enumerate(way.passages):
        nat = "nat" in passage.table.split() or passage.chain.startswith("nat-")
        if nat and "postrouting" not in passage.chain.lower():
            return at if passage.end != DROP else None
    # Without such a chain, as where a table is missing: it has passed what lies before.
    passed = [at for at, p in enumerate(way.passages) if p.chain.startswith((f"{LAST}forward", f"{LAST}input"))]
    return passed[0] if passed else None


def _translation(way: Way) -> tuple[int, str]:
    """The base chain behind which it had another destination, and in words the rule that did it."""
    for at, (one, following) in enumerate(zip(way.passages, way.passages[1:], strict=False)):
        if (one.destination, one.port) != (following.destination, following.port):
            rule = one.steps[-1] if one.steps else None
            return at, f", by {rule.chain}: {short(rule.rule, _RULE)}" if rule and rule.rule else ""
    return len(way.passages) - 1, ""


def _stuck(way: Way) -> str:
    last = way.last
    return f"came as far as {last.chain}, and no further: routing, or a reverse path filter, took it there"


def _went(way: Way) -> str:
    """Where a packet went that nobody stopped."""
    last = way.last
    if last.end == DROP:
        return _by(last)
    if "input" in last.chain.lower():
        return "came to the node's own processes"
    return f"went out {_by_wire(last)} to {_socket(last.destination, last.port)}" if way.whole else _stuck(way)


def _by_wire(last: Passage) -> str:
    return f"by {last.oif}" if last.oif else "to a process of the node" if "input" in last.chain else "by some wire"


def _mentions(choice: str, ip: str, port: int) -> bool:
    """Whether a rule that chooses names the endpoint, in its own words or in the name of its chain."""
    # A chain's name has dots where the address has colons, and may be cut short.
    ends = "|".join(map(re.escape, (f"{ip} . {port}", f"{ip}/{port}", f"{ip.replace(':', '.')}/{port}")))
    return "..." in choice or bool(re.search(rf"(?<![\w.:])({ends})(?!\d)|__({ends})(?!\d)", choice))


def _socket(ip: str, port: int) -> str:
    return f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else ", ".join(words)
