"""The API objects of a `ServiceSpec`, given what its roles stand for. Pure; without namespace, labels and selector."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from conformance.model.addresses import Family, Protocol
from conformance.model.case.backend import HOST_PORT
from conformance.model.case.refs import ClientRef
from conformance.model.case.service_spec import AS_HOST_PORT, EndpointSpec, PortSpec, ServiceSpec, SliceSpec
from conformance.model.kube import IPMode, Policy, Service, ServiceType
from conformance.model.parse import SERVICE_NAME_LABEL
from conformance.model.surroundings import Surroundings

JSON = dict[str, Any]
BY_HAND = "nftconform.io/by-hand"
"""The loadBalancerClass of Services whose status the kit writes: no controller's."""


def service(spec: ServiceSpec, here: Surroundings) -> JSON:
    """The Service; ports and addresses that the spec leaves open are left to the API server."""
    if spec.type is ServiceType.EXTERNAL_NAME:
        return _object(spec, {"type": spec.type.value, "externalName": spec.external_name})
    balanced = spec.type is ServiceType.LOAD_BALANCER
    body: JSON = {
        "type": spec.type.value,
        "ipFamilyPolicy": "PreferDualStack",
        "internalTrafficPolicy": spec.internal_policy.value,
        "ports": [_port(p, spec, here) for p in spec.ports],
    }
    if spec.families:
        body["ipFamilies"] = [f.value for f in spec.families]
        body["ipFamilyPolicy"] = "SingleStack" if len(spec.families) == 1 else "RequireDualStack"
    if spec.headless:
        body["clusterIP"] = "None"
    if spec.external_policy is not Policy.CLUSTER:  # the API refuses the field where there is no external traffic
        body["externalTrafficPolicy"] = spec.external_policy.value
    if spec.health_check_port:
        body["healthCheckNodePort"] = here.node_port(spec.health_check_port)
    if spec.affinity:
        body["sessionAffinity"] = "ClientIP"
        if spec.affinity_seconds is not None:
            body["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": spec.affinity_seconds}}
    if external := external_ips(spec, here):
        body["externalIPs"] = list(external)
    if spec.source_ranges:
        body["loadBalancerSourceRanges"] = [cidr for r in spec.source_ranges for cidr in _range(r, here)]
    if balanced and spec.ingress is not None:
        body["loadBalancerClass"] = BY_HAND
    if balanced and not spec.allocate_node_ports:
        body["allocateLoadBalancerNodePorts"] = False
    if spec.publish_not_ready:
        body["publishNotReadyAddresses"] = True
    if spec.traffic_distribution:
        body["trafficDistribution"] = spec.traffic_distribution
    if spec.reuses:
        body |= _reused(here.first[spec.reuses])
    return _object(spec, body)


def status(spec: ServiceSpec, here: Surroundings) -> JSON | None:
    """The status to write into the Service by hand; None when that is a controller's to do, or nobody's."""
    if spec.ingress is None or spec.type is not ServiceType.LOAD_BALANCER:
        return None
    entries: list[JSON] = []
    for number, one in enumerate(spec.ingress):
        if one.hostname:
            entries.append({"hostname": f"{spec.name}.example.com"})
            continue
        mode = {} if one.mode is IPMode.VIP else {"ipMode": one.mode.value}
        families = families_of(spec, here)
        given: tuple[str | None, ...] = here.documentation(spec.reuses or spec.name, number + 1)
        if one.secondary_of:
            given = tuple(map(here.nodes[one.secondary_of].secondary, Family))
        entries += [{"ip": ip} | mode for ip in given if ip and Family.of(ip) in families]
    return {"status": {"loadBalancer": {"ingress": entries or None}}}


def slices(spec: ServiceSpec, here: Surroundings) -> Iterator[JSON]:
    """The hand-made EndpointSlices."""
    for index, one in enumerate(spec.slices or ()):
        for family in (one.family,) if one.family else families_of(spec, here):
            ends = [_endpoint(e, one, family, here) for e in one.endpoints]
            labels = {SERVICE_NAME_LABEL: spec.name, "endpointslice.kubernetes.io/managed-by": "nftconform.io"}
            yield {
                "apiVersion": "discovery.k8s.io/v1",
                "kind": "EndpointSlice",
                "metadata": {
                    "name": f"{spec.name}-{index}-{family.value.lower()}",
                    "labels": labels | dict(one.labels),
                },
                "addressType": "FQDN" if one.fqdn else family.value,
                "ports": _slice_ports(one, spec, here),
                "endpoints": [e for e in ends if e],
            }


def endpoints(spec: ServiceSpec, here: Surroundings) -> JSON:
    """The Endpoints object of a mirrored Service: one subset for each port number, of both families."""
    kinds = dict.fromkeys(here.port(b) for b in spec.endpoints)
    return {
        "apiVersion": "v1",
        "kind": "Endpoints",
        "metadata": {"name": spec.name, "labels": dict(spec.labels)},
        "subsets": [
            {
                "addresses": [
                    {"ip": a, "nodeName": here.nodes[b.role].name, "targetRef": {"kind": "Pod", "name": b.name}}
                    for b in spec.endpoints
                    if here.port(b) == number
                    for a in here.addresses(b)
                    if Family.of(a) in families_of(spec, here)
                ],
                "ports": [{"name": p.name, "protocol": p.protocol.value, "port": number} for p in spec.ports],
            }
            for number in kinds
        ],
    }


def addresses_wanted(spec: ServiceSpec) -> int:
    """How many documentation addresses of a family the Service wants: the external IP's number, and the balancer's."""
    return 1 + len(spec.ingress or ()) if spec.external_ip or spec.ingress else 0


def addresses_of(specs: Iterable[ServiceSpec]) -> dict[str, int]:
    """By name the first of the documentation addresses that each Service may want in any phase; no two share one."""
    most: dict[str, int] = {}
    for spec in dict.fromkeys(specs):
        if wanted := addresses_wanted(spec):
            most[spec.name] = max(wanted, most.get(spec.name, 0))
    firsts = accumulate(most.values(), initial=0)
    return dict(zip(most, firsts, strict=False))


def families_of(spec: ServiceSpec, here: Surroundings) -> tuple[Family, ...]:
    """The families that the Service has."""
    return spec.families or here.families


def external_ips(spec: ServiceSpec, here: Surroundings) -> tuple[str, ...]:
    """Its external IPs: a node's own, or documentation addresses."""
    families = families_of(spec, here)
    if spec.external_ip_of:
        node = here.nodes[spec.external_ip_of]
        return tuple(a for a in map(node.primary, Family) if a and Family.of(a) in families)
    if not spec.external_ip:
        return ()
    whose = spec.shares_external_ip_of or spec.reuses or spec.name
    return tuple(a for a in here.documentation(whose) if Family.of(a) in families)


def target_port(port: PortSpec, here: Surroundings) -> int | str:
    """``targetPort`` as the API server would store it."""
    if not port.number:
        return here.backend_port
    return here.backend_port if port.target is None else port.target


def _object(spec: ServiceSpec, body: JSON) -> JSON:
    metadata: JSON = {"name": spec.name, "labels": dict(spec.labels)}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": body}


def _port(port: PortSpec, spec: ServiceSpec, here: Surroundings) -> JSON:
    number = here.node_port(HOST_PORT) if port.number == AS_HOST_PORT else port.number or here.backend_port
    plain: JSON = {"name": port.name, "protocol": port.protocol.value, "port": number}
    if port.number:
        plain["targetPort"] = target_port(port, here)
    if port.node_port:
        plain["nodePort"] = here.node_port(port.node_port)
    elif spec.reuses and spec.type is not ServiceType.CLUSTER_IP:
        old = here.first[spec.reuses].ports
        plain["nodePort"] = next(p.node_port for p in old if p.protocol is port.protocol)
    return plain


def _reused(old: Service) -> JSON:
    if not old.cluster_ips:
        return {}  # an API server that allocated nothing has failed already, in a case of its own
    return {"clusterIP": old.cluster_ips[0], "clusterIPs": list(old.cluster_ips)}


def _range(who: ClientRef | str, here: Surroundings) -> tuple[str, ...]:
    if isinstance(who, str):
        return (who,)
    client = here.clients[who.label]
    own = client.addresses or tuple(a for a in here.nodes[who.role].addresses)
    return tuple(f"{a}/{Family.of(a).max_prefix}" for a in own if Family.of(a) in here.families)


def _slice_ports(one: SliceSpec, spec: ServiceSpec, here: Surroundings) -> list[JSON]:
    own = here.port(one.endpoints[0].backend) if one.endpoints else here.backend_port
    if one.ports is None:
        listed: list[tuple[str, Protocol, int | None]] = [
            (p.name, p.protocol, p.target if isinstance(p.target, int) else own) for p in spec.ports
        ]
    else:
        listed = [(p.name, p.protocol, own if p.number is None else p.number or None) for p in one.ports]
    return [
        {"name": name, "protocol": protocol.value} | ({"port": number} if number else {})
        for name, protocol, number in listed
    ]


def _endpoint(end: EndpointSpec, one: SliceSpec, family: Family, here: Surroundings) -> JSON | None:
    own = [a for a in here.addresses(end.backend) if Family.of(a) is family]
    addresses = [f"{end.backend.name}.example.com"] if one.fqdn else own[:1]
    if not addresses:
        return None
    conditions = {"ready": end.ready, "serving": end.serving, "terminating": end.terminating}
    plain: JSON = {
        "addresses": addresses,
        "conditions": {k: v for k, v in conditions.items() if v is not None},
        "targetRef": {"kind": "Pod", "name": end.backend.name},
    }
    if end.named:
        plain["hostname"] = end.backend.name
    role = end.backend.role if end.node == "own" else end.node
    if role:
        node = here.nodes[role]
        plain |= {"nodeName": node.name} | ({"zone": node.zone} if node.zone else {})
    hints: JSON = {}
    if end.hint_zones:
        hints["forZones"] = [{"name": here.nodes[r].zone} for r in end.hint_zones]
    if end.hint_nodes:
        hints["forNodes"] = [{"name": here.nodes[r].name} for r in end.hint_nodes]
    return plain | ({"hints": hints} if hints else {})
