"""Does the hand-written ``then`` of a case say the same as the oracle? Two authors, one truth."""

from __future__ import annotations

from typing import assert_never

from conformance.model.addresses import Family
from conformance.model.case.backend import Backend
from conformance.model.case.then import Answered, Pinned, Rejected, ResolvesTo, Says, SeenSource, Stored
from conformance.model.cell import Cell
from conformance.model.client import Client, ClientKind
from conformance.model.cluster import ClusterState
from conformance.model.outcome import (
    Dropped,
    Expectation,
    Faithful,
    Outcome,
    Pins,
    Quiet,
    Reaches,
    Refused,
    Resolves,
    Shows,
    Tells,
    TooBig,
    Unanswered,
)
from conformance.model.surroundings import Surroundings


def disagreement(cell: Cell, expectation: Expectation, client: Client, state: ClusterState, here: Surroundings) -> str:
    """One sentence on how the oracle contradicts the cell's row, or an empty string when they agree."""
    then, outcome = cell.then, expectation.outcome
    match then:
        case Answered():
            return _answered(then, outcome, client, state)
        case Pinned():
            return _pinned(then, outcome, cell)
        case Says(status, local_endpoints, body, whole):
            said = Tells(status, local_endpoints, body, here.last[cell.service.name].key if whole else "")
            return "" if outcome == said else f"the case says {said}, the oracle {outcome}"
        case ResolvesTo():
            lines = records(then, cell, here)
            return "" if outcome == Resolves(lines) else f"the case says {sorted(lines)}, the oracle {outcome}"
        case TooBig():
            return "" if outcome == then else f"the case says {then}, the oracle {outcome}"
        case Refused() | Dropped() | Unanswered() | Quiet() | Faithful():
            same = type(outcome) is type(then)
            return "" if same else f"the case says {type(then).__name__.lower()}, the oracle {outcome}"
        case Rejected() | Stored() | Shows() | None:
            return ""  # there is no oracle of the API server's validation, nor of nodes: the row alone speaks
        case _:
            assert_never(then)


def records(then: ResolvesTo, cell: Cell, here: Surroundings) -> frozenset[str]:
    """The lines that the row promises of a lookup."""
    spec, service = cell.service, here.last[cell.service.name]
    asked = Family.IPV6 if cell.destination.word.startswith("AAAA") else Family.IPV4
    name = f"{service.name}.{service.namespace}.svc.{here.domain}."
    match then.what:
        case ResolvesTo.What.CLUSTER_IPS:
            return frozenset(ip for ip in service.cluster_ips if Family.of(ip) is asked)
        case ResolvesTo.What.ENDPOINTS:
            return frozenset(a for b in then.endpoints for a in here.addresses(b) if Family.of(a) is asked)
        case ResolvesTo.What.PORTS if then.endpoints:
            return frozenset(f"{here.port(b)} {b.name}.{name}" for b in then.endpoints)
        case ResolvesTo.What.PORTS:
            port = next(p for p in service.ports if p.name == cell.destination.port)
            return frozenset({f"{port.port} {name}"})
        case ResolvesTo.What.NAME:
            return frozenset({f"CNAME {spec.external_name}."})
        case ResolvesTo.What.NOTHING:
            return frozenset()
        case _:
            assert_never(then.what)


def _answered(then: Answered, outcome: Outcome, client: Client, state: ClusterState) -> str:
    if not isinstance(outcome, Reaches):
        return f"the case says answered, the oracle {outcome}"
    differ = _same_pods(then.endpoints, [t.pod for t in outcome.targets])
    if differ:
        return differ
    if then.sticky != outcome.sticky:
        return f"the case says sticky={then.sticky}, the oracle sticky={outcome.sticky}"
    if then.promptly != outcome.promptly:
        return f"the case says promptly={then.promptly}, the oracle promptly={outcome.promptly}"
    seen = {s for t in outcome.targets for s in t.sources}
    node = state.nodes[client.node]
    own = set(client.addresses)
    if client.kind is ClientKind.NODE:
        own |= {*node.addresses, *node.local}
    nodes = {a for n in state.nodes.values() for a in (*n.addresses, *n.local)}
    match then.source:
        case SeenSource.CLIENT if not seen <= own:
            return f"the case says the client's address is kept, the oracle allows {sorted(seen)}"
        case SeenSource.NODE if not seen <= nodes:
            return f"the case says a node's address is seen, the oracle allows {sorted(seen)}"
        case _:
            return ""


def _pinned(then: Pinned, outcome: Outcome, cell: Cell) -> str:
    if not isinstance(outcome, Pins):
        return f"the case says pinned, the oracle {outcome}"
    differ = _same_pods(then.endpoints, [t.pod for t in outcome.targets])
    if differ:
        return differ
    if outcome.forgets != then.forgets:
        return f"the case says forgets={then.forgets}, the oracle forgets={outcome.forgets}"
    ports = sum(p.protocol is cell.protocol for p in cell.service.ports)
    stays = len(outcome.kept) == ports and all(len(before) == 1 for _, before in outcome.kept)
    return "" if stays == then.stays else f"the case says stays={then.stays}, the oracle keeps {outcome.kept}"


def _same_pods(by_hand: tuple[Backend, ...], computed: list[str]) -> str:
    hand = sorted(b.name for b in by_hand)
    if hand != sorted(computed):
        return f"the case says {', '.join(hand)} answer, the oracle {', '.join(sorted(computed))}"
    return ""
