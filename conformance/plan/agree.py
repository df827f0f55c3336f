"""Does the hand-written ``then`` of a case say the same as the oracle? Two authors, one truth."""

from __future__ import annotations

from typing import assert_never

from conformance.model.case import Answered, SeenSource, Then
from conformance.model.client import Client, ClientKind
from conformance.model.cluster import ClusterState
from conformance.model.outcome import (
    Dropped,
    Expectation,
    Outcome,
    Reaches,
    Refused,
)


def disagreement(then: Then, expectation: Expectation, client: Client, state: ClusterState) -> str:
    """One sentence on how the oracle contradicts the case, or an empty string when they agree."""
    outcome = expectation.outcome
    match then:
        case Answered():
            return _answered(then, outcome, client, state)
        case Refused():
            return "" if isinstance(outcome, Refused) else f"the case says refused, the oracle {outcome}"
        case Dropped():
            return "" if isinstance(outcome, Dropped) else f"the case says dropped, the oracle {outcome}"
        case _:
            assert_never(then)


def _answered(then: Answered, outcome: Outcome, client: Client, state: ClusterState) -> str:
    if not isinstance(outcome, Reaches):
        return f"the case says answered, the oracle {outcome}"
    hand = sorted(b.name for b in then.endpoints)
    computed = sorted(t.pod for t in outcome.targets)
    if hand != computed:
        return f"the case says {', '.join(hand)} answer, the oracle {', '.join(computed)}"
    if then.sticky != outcome.sticky:
        return f"the case says sticky={then.sticky}, the oracle sticky={outcome.sticky}"
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
