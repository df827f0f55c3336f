"""The API objects of a `PolicySpec`, given what its roles stand for. Pure; without namespace and labels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.model.addresses import Family
from conformance.model.case.backend import Backend
from conformance.model.case.policy_spec import AllowedPort, BlockSpec, PodsSpec, PolicySpec, RuleSpec
from conformance.model.case.refs import ClientRef, DestinationRef
from conformance.model.client import ClientKind
from conformance.model.network_policy import NAMESPACE_NAME
from conformance.model.surroundings import Surroundings

JSON = dict[str, Any]
POD_LABEL = "nftconform.io/pod"
"""What every pod of a run has: its own name."""
_EVERYBODY = {Family.IPV4: "0.0.0.0/0", Family.IPV6: "::/0"}


def network_policy(spec: PolicySpec, here: Surroundings) -> JSON:
    """The NetworkPolicy; what the spec does not say is left out."""
    body: JSON = {"podSelector": _selector(spec.about)}
    if spec.ingress is not None:
        body["ingress"] = [_rule(rule, "from", here) for rule in spec.ingress]
    if spec.egress is not None:
        body["egress"] = [_rule(rule, "to", here) for rule in spec.egress]
    if spec.types is not None:
        body["policyTypes"] = list(spec.types)
    metadata: JSON = {"name": spec.called, "labels": {}}
    return {"apiVersion": "networking.k8s.io/v1", "kind": "NetworkPolicy", "metadata": metadata, "spec": body}


def pod_name(whom: Backend | ClientRef) -> str:
    """The name of the pod that is meant."""
    if isinstance(whom, Backend):
        return whom.pod
    return whom.label.removeprefix("endpoint-") if whom.own_pod else f"client-{whom.role}"


def _selector(whom: tuple[Backend | ClientRef, ...]) -> JSON:
    if not whom:
        return {}
    return {"matchExpressions": [{"key": POD_LABEL, "operator": "In", "values": [pod_name(one) for one in whom]}]}


def _rule(rule: RuleSpec, side: str, here: Surroundings) -> JSON:
    peers = [peer for one in rule.peers for peer in _peers(one, here)]
    return ({side: peers} if peers else {}) | ({"ports": [_port(p, here) for p in rule.ports]} if rule.ports else {})


def _peers(peer: PodsSpec | BlockSpec, here: Surroundings) -> Iterator[JSON]:
    if isinstance(peer, PodsSpec):
        selected = {"podSelector": _selector(peer.whom)} if peer.whom or peer.space is None else {}
        space = here.namespaces[peer.space.value] if peer.space else ""
        yield selected | ({"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: space}}} if space else {})
        return
    for family in here.families:
        beyond = [single(a) for one in peer.excepting for a in addresses(one, here) if Family.of(a) is family]
        mine = (
            [_EVERYBODY[family]]
            if peer.whom is None
            else [single(a) for a in addresses(peer.whom, here) if Family.of(a) is family]
        )
        for cidr in mine:
            yield {"ipBlock": {"cidr": cidr} | ({"except": beyond} if beyond else {})}


def addresses(whom: ClientRef | DestinationRef, here: Surroundings) -> tuple[str, ...]:
    """Every address of a client, all those of a node; or a Service's ClusterIPs."""
    if isinstance(whom, DestinationRef):
        return here.last[whom.of].cluster_ips
    if whom.kind is ClientKind.NODE:
        return (*here.nodes[whom.role].addresses, *here.nodes[whom.role].local)
    return here.clients[whom.label].addresses


def single(address: str) -> str:
    """The block of that one address."""
    return f"{address}/{Family.of(address).max_prefix}"


def _port(port: AllowedPort, here: Surroundings) -> JSON:
    plain: JSON = {"protocol": port.protocol.value}
    if port.number is not None:
        return plain | {"port": port.number}
    first, last = port.around
    return plain | {"port": here.backend_port + first} | ({"endPort": here.backend_port + last} if last > first else {})
