"""What is known of a cluster besides its Services, where a promise about them was broken: it may be why. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from conformance.model.cluster import ProxyMode
from conformance.model.facts import Facts
from conformance.model.source import Reason
from conformance.model.verdict import Mismatch
from conformance.preflight.components import CACHE, components
from conformance.preflight.finding import Kind, Severity
from conformance.preflight.subject import Subject
from conformance.spec.interplay import Interplay
from conformance.spec.sources import NFTABLES_DIFFERENCES

_LOST = frozenset({Mismatch.NOT_REACHED, Mismatch.SOMETIMES_LOST, Mismatch.DROPPED_NOT_REFUSED, Mismatch.NOT_TOLD})
_ON_THE_WAY = _LOST | {
    Mismatch.WRONG_ENDPOINT,
    Mismatch.ENDPOINT_NEVER_CHOSEN,
    Mismatch.WRONG_SOURCE,
    Mismatch.ANSWERED,
    Mismatch.REFUSED_NOT_DROPPED,
    Mismatch.WRONG_REFUSAL,
    Mismatch.LEAKED,
}
NO_DROPS = "none"
"""What the fact ``foreign_drops`` says of a node where no other table drops by default."""


def beside(facts: Facts, mismatch: Mismatch, interplay: Interplay, today: date) -> tuple[Reason, ...]:
    """What may be why packets to a Service met with ``mismatch``, each with where it is written.

    Components of which ``interplay`` holds something against nftables mode, and chains that drop what nobody accepts.
    Nothing where kube-proxy runs in another mode, or where the promise was not about packets or names.
    """
    if facts.proxy_mode.value not in (ProxyMode.NFTABLES, None):
        return ()
    return tuple(dict.fromkeys([*_components(facts, mismatch, interplay, today), *_drops(facts, mismatch)]))


def _components(facts: Facts, mismatch: Mismatch, interplay: Interplay, today: date) -> Iterator[Reason]:
    for one in components(Subject(facts, interplay, today)):
        heavy = one.kind is Kind.COMPONENT and one.severity in (Severity.BLOCKER, Severity.WARNING)
        about_names = one.source.text == CACHE
        if heavy and (mismatch is Mismatch.WRONG_NAME if about_names else mismatch in _ON_THE_WAY):
            yield Reason(f"may be why: {one.evidence}", one.source)


def _drops(facts: Facts, mismatch: Mismatch) -> Iterator[Reason]:
    if mismatch not in _LOST:
        return
    for node, chains in sorted(facts.foreign_drops.otherwise({}).items()):
        if chains != NO_DROPS:
            text = f"may be why: {node} has {chains}, and in nftables mode kube-proxy accepts nothing in others' stead"
            yield Reason(text, NFTABLES_DIFFERENCES)
