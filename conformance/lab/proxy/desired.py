"""All Services together: the whole table that the kernel is to hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from conformance.lab.proxy import names
from conformance.lab.proxy.base import base
from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.fragment import Fragment, fragment
from conformance.lab.proxy.place import Place, place
from conformance.lab.proxy.ruleset import Ruleset
from conformance.model.addresses import Family
from conformance.model.kube import EndpointSlice, Node, Service

# An address and port belongs to one Service in all of these together, or one's verdict would meet another's packets.
_BY_ADDRESS = frozenset({names.SERVICE_IPS, names.NO_ENDPOINT_SERVICES, names.FIREWALL_IPS})
_BY_NODE_PORT = frozenset({names.SERVICE_NODEPORTS, names.NO_ENDPOINT_NODEPORTS})


@dataclass(frozen=True, slots=True)
class Conflict:
    """``loser`` claims what ``winner`` has; both are ``namespace/name``."""

    key: str
    winner: str
    loser: str


def desired(
    services: Iterable[Service],
    slices: Mapping[str, Iterable[EndpointSlice]],
    node: Node,
    configuration: Configuration,
    service_cidrs: Iterable[str] = (),
    *,
    family: Family,
    interface_addresses: Iterable[str] = (),
) -> Ruleset:
    """The table of ``family`` on ``node`` for ``services``, oldest first, and their slices by ``namespace/name``."""
    here = place(family, node, configuration, service_cidrs, interface_addresses)
    whole, _ = merge({s.key: fragment(s, slices.get(s.key, ()), here) for s in services}, here)
    return whole


def merge(fragments: Mapping[str, Fragment], here: Place) -> tuple[Ruleset, tuple[Conflict, ...]]:
    """One table of all ``fragments``, and who claimed in vain: the first Service that names an address has it.

    The API lets two Services name the same external address and port. kube-proxy then follows the order of a Go map;
    here the order of ``fragments`` decides, the oldest Service first.
    """
    frame = base(here)
    chains, containers = dict(frame.chains), dict(frame.containers)
    elements = {name: dict(known) for name, known in frame.elements.items()}
    owners: dict[str, str] = {}
    conflicts: dict[tuple[str, str], Conflict] = {}
    for service, part in fragments.items():
        for chain in part.chains:
            chains[chain.name] = chain
        for container in part.affinity_sets:
            containers[container.name] = container
        for name, element in part.elements:
            if name in _BY_ADDRESS or name in _BY_NODE_PORT:
                owner = owners.setdefault(element.key, service)
                if owner != service:
                    conflicts[service, element.key] = Conflict(element.key, owner, service)
                    continue
            elements[name][element.key] = element
    whole = Ruleset(here.family, chains, containers, elements, frame.absent)
    return whole, tuple(conflicts.values())
