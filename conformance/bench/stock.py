"""The API objects that are measured. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from conformance.arrange.run import Run
from conformance.bench.planning import has_node_port, protocol_of
from conformance.model.addresses import Family, Protocol
from conformance.model.parse import SERVICE_NAME_LABEL

JSON = dict[str, Any]
PORT = 80
_TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"
"""What kube-proxy's own metric of programming latency counts from; the EndpointSlice controller sets it, so do we."""


@dataclass(frozen=True, slots=True)
class End:
    """An endpoint: one port of one pod, on which it answers with ``name``."""

    name: str
    ip: str
    port: int
    node: str


def name_of(number: int) -> str:
    """The name of the Service ``number``."""
    return f"bench-{number:05d}"


def stocked(run: Run, number: int, family: Family, ends: Sequence[End]) -> tuple[JSON, list[JSON]]:
    """Service ``number`` of the ladder, and its slices."""
    protocol = protocol_of(number)
    made = service(run, name_of(number), protocol, family, node_port=has_node_port(number))
    return made, slices(run, name_of(number), protocol, family, ends)


def service(run: Run, name: str, protocol: Protocol, family: Family, *, node_port: bool = False, ip: str = "") -> JSON:
    """A Service of one port and one family without a selector; ``ip`` is the ClusterIP that it is to have."""
    spec: JSON = {
        "type": "NodePort" if node_port else "ClusterIP",
        "ipFamilyPolicy": "SingleStack",
        "ipFamilies": [family.value],
        "ports": [{"name": "p", "protocol": protocol.value, "port": PORT, "targetPort": PORT}],
    }
    if ip:
        spec |= {"clusterIP": ip, "clusterIPs": [ip]}
    return {"apiVersion": "v1", "kind": "Service", "metadata": _metadata(run, name), "spec": spec}


def slices(run: Run, name: str, protocol: Protocol, family: Family, ends: Iterable[End]) -> list[JSON]:
    """EndpointSlices of the Service ``name`` made by hand: one for each port number that ``ends`` have."""
    found = []
    for port, same in groupby(sorted(ends, key=lambda end: (end.port, end.ip)), key=lambda end: end.port):
        metadata = _metadata(run, f"{name}-{port}")
        metadata["labels"] |= {SERVICE_NAME_LABEL: name, "endpointslice.kubernetes.io/managed-by": "nftconform.io"}
        found.append(
            {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": metadata,
                "addressType": family.value,
                "ports": ports(protocol, port),
                "endpoints": [
                    {"addresses": [end.ip], "nodeName": end.node, "conditions": {"ready": True}} for end in same
                ],
            }
        )
    return found


def ports(protocol: Protocol, port: int) -> list[JSON]:
    """``ports`` of a slice."""
    return [{"name": "p", "protocol": protocol.value, "port": port}]


def moved(protocol: Protocol, port: int) -> JSON:
    """The patch after which a slice's endpoints are at another port, from now on."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return {"metadata": {"annotations": {_TRIGGER_TIME: now}}, "ports": ports(protocol, port)}


def ends(pods: Sequence[tuple[str, str, str]], first_port: int, count: int) -> list[End]:
    """``count`` endpoints of (name, ip, node) ``pods``: each pod's first port before anyone's second."""
    return [End(f"{name}-{turn + 1}", ip, first_port + turn, node) for turn, (name, ip, node) in _rounds(pods, count)]


def _rounds(pods: Sequence[tuple[str, str, str]], count: int) -> Iterator[tuple[int, tuple[str, str, str]]]:
    return ((number // len(pods), pods[number % len(pods)]) for number in range(count))


def _metadata(run: Run, name: str) -> JSON:
    labels: Mapping[str, str] = run.labels
    return {"name": name, "namespace": run.namespace, "labels": dict(labels)}
