"""What is known of a fault besides its sentence: where it sits, which promise it breaks, how that shows."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conformance.model.verdict import Mismatch


class Site(Enum):
    """Where a fault is put in, below the proxy: the reference proxy and a real kube-proxy suffer it alike.

    VIEW needs the lab's embedded API server: with a real kube-apiserver there is nothing to put such a fault in.
    """

    RULES = "kube-proxy's nft transactions, on their way to the kernel"
    VIEW = "the API's objects, as kube-proxy sees them"
    API = "the API server's answers"
    DNS = "cluster DNS's answers"
    BALANCER = "the cluster's load balancer controller"
    NODE = "the node: its own nft tables, connection tracking and programs"
    WIRE = "the pod network"
    POLICY = "the lab's NetworkPolicy engine"


@dataclass(frozen=True, slots=True)
class Damage:
    """One fault: ``how`` it is put in at ``site``, the ``promise`` it breaks, and what it stands for.

    ``shows`` are the mismatches that betray it: a case that claims the fault must fail with one of them.
    ``field`` names the bugs in the field that were like it (``owner/repository#number``); empty when none is known.
    """

    site: Site
    how: str
    promise: str
    shows: tuple[Mismatch, ...]
    field: tuple[str, ...] = ()


def upstream(*numbers: int) -> tuple[str, ...]:
    """Issues and pull requests of kubernetes/kubernetes."""
    return tuple(f"kubernetes/kubernetes#{number}" for number in numbers)
