"""Services: defaults, allocation of addresses and ports, and what follows from a change of type."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.allocation import Addresses, Allocation, NodePorts
from conformance.lab.api.config import Config
from conformance.lab.api.resources import resource
from conformance.lab.api.status import FieldError
from conformance.lab.api.store import Store
from conformance.lab.api.strategies import service_families, service_ports
from conformance.lab.api.strategies.base import Strategy
from conformance.lab.api.validation import ips, service_addresses, services
from conformance.lab.api.validation.names import dns_label
from conformance.lab.timestamps import now

Json = dict[str, Any]

AFFINITY_SECONDS = 10800
_EMPTY: tuple[object, ...] = ("", 0, [], {})
_MAY_BE_EMPTY = ("type", "sessionAffinity", "ports", "selector", "clusterIP", "clusterIPs", "externalIPs", "ipFamilies")


class ServiceStrategy(Strategy):
    """The rules of Services, with the pools that they take from."""

    status = True
    create_on_update = True
    returns_deleted = True

    def __init__(self, store: Store, config: Config) -> None:
        self._store = store
        self._addresses = Addresses(config.service_cidrs)
        self._ports = NodePorts(*config.node_ports)
        self._addresses_resource = resource("networking.k8s.io", "ipaddresses")
        self._endpoints = resource("", "endpoints")

    def validate_name(self, name: str) -> list[str]:
        """A DNS label: 1.36 relaxed RFC 1035 to RFC 1123 (KEP-5311)."""
        return dns_label(name)

    def default(self, obj: Json) -> None:
        """What ``SetDefaults_Service`` promises."""
        spec = obj.setdefault("spec", {})
        for field in (*_MAY_BE_EMPTY, "externalTrafficPolicy", "healthCheckNodePort", "loadBalancerIP", "externalName"):
            if field in spec and spec[field] in _EMPTY:
                del spec[field]
        spec.setdefault("type", "ClusterIP")
        affinity = spec.setdefault("sessionAffinity", "None")
        if affinity == "None":
            spec.pop("sessionAffinityConfig", None)
        elif affinity == "ClientIP":
            config = spec.get("sessionAffinityConfig") or {}
            if (config.get("clientIP") or {}).get("timeoutSeconds") is None:
                spec["sessionAffinityConfig"] = {"clientIP": {"timeoutSeconds": AFFINITY_SECONDS}}
        for port in spec.get("ports", []):
            for field in ("name", "nodePort", "protocol"):
                if field in port and port[field] in _EMPTY:
                    del port[field]
            port.setdefault("protocol", "TCP")
            if port.get("targetPort", 0) in (0, ""):
                port["targetPort"] = port.get("port", 0)
        if services.externally_accessible(spec):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        if spec["type"] in ("ClusterIP", "NodePort", "LoadBalancer"):
            spec.setdefault("internalTrafficPolicy", "Cluster")
        elif spec["type"] == "ExternalName":
            spec.pop("internalTrafficPolicy", None)
        if spec["type"] == "LoadBalancer":
            spec.setdefault("allocateLoadBalancerNodePorts", True)
            for ingress in obj.get("status", {}).get("loadBalancer", {}).get("ingress", []):
                if ingress.get("ip"):
                    ingress.setdefault("ipMode", "VIP")

    def begin(self, obj: Json, old: Json | None, *, dry_run: bool) -> Allocation:
        """Settle families, take what is needed, give back what is not."""
        spec, before = obj["spec"], old["spec"] if old else None
        name = obj["metadata"].get("name", "")
        if before is not None:
            self._carry_over(spec, before)
        service_families.normalize(spec, before)
        allocation = Allocation(dry_run=dry_run)
        service_families.settle(name, spec, before, self._addresses)
        service_families.allocate(name, spec, before, self._addresses, allocation)
        service_ports.allocate(name, spec, before, self._ports, allocation)
        allocation.then(lambda: self._record(obj, old))
        return allocation

    def prepare_create(self, obj: Json) -> None:
        """No status yet."""
        obj["status"] = {"loadBalancer": {}}

    def prepare_update(self, new: Json, old: Json) -> None:
        """Keep the status; drop what the new type has no use for and the client did not set on purpose."""
        super().prepare_update(new, old)
        spec, before = new["spec"], old["spec"]
        if spec["type"] == "ExternalName" and before.get("type") != "ExternalName":
            same = all(spec.get(field) == before.get(field) for field in ("clusterIP", "clusterIPs"))
            dropped = ["clusterIP", "clusterIPs"] if same else []
            dropped += [each for each in ("ipFamilies", "ipFamilyPolicy") if spec.get(each) == before.get(each)]
            for field in dropped:
                spec.pop(field, None)
        ports_gone = service_ports.has_node_ports(before) and not service_ports.has_node_ports(spec)
        if ports_gone and set(service_ports.used(spec)) <= set(service_ports.used(before)):
            for port in spec.get("ports", []):
                port.pop("nodePort", None)
        checked = services.needs_health_check
        if checked(before) and not checked(spec):
            _drop_same(spec, before, "healthCheckNodePort")
        if before.get("type") == "LoadBalancer" != spec["type"]:
            _drop_same(spec, before, "allocateLoadBalancerNodePorts")
            _drop_same(spec, before, "loadBalancerClass")
        if services.externally_accessible(before) and not services.externally_accessible(spec):
            _drop_same(spec, before, "externalTrafficPolicy")
        if spec["type"] != "LoadBalancer":
            new["status"] = {**new.get("status", {}), "loadBalancer": {}}

    def validate(self, obj: Json) -> list[FieldError]:
        """Errors of a new Service."""
        return services.validate(obj, None)

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """Errors of a changed Service."""
        changed = service_addresses.address_change(new["spec"], old["spec"])
        return changed + services.validate_update(new, old) + services.validate(new, old)

    def validate_status(self, new: Json, old: Json) -> list[FieldError]:
        """Errors of a load balancer's report."""
        return services.validate_status(new, old)

    def removed(self, obj: Json) -> None:
        """Give everything back; the Endpoints of the same name go too, as in the real registry."""
        allocation = Allocation()
        spec = obj["spec"]
        for address in spec.get("clusterIPs", []):
            if address != "None":
                self._addresses.give(address, allocation)
        service_ports.release(spec, self._ports, allocation)
        if services.needs_health_check(spec) and spec.get("healthCheckNodePort"):
            self._ports.give(spec["healthCheckNodePort"], allocation)
        allocation.commit()
        self._record({"metadata": obj["metadata"], "spec": {}}, obj)
        endpoints = self._store.collection(self._endpoints).get(obj["metadata"]["namespace"], obj["metadata"]["name"])
        if endpoints is not None:
            self._store.remove(self._endpoints, {**endpoints.obj, "metadata": dict(endpoints.obj["metadata"])})

    def _carry_over(self, spec: Json, before: Json) -> None:
        if "ExternalName" not in (spec["type"], before.get("type")):
            for field in ("clusterIP", "clusterIPs"):
                if not spec.get(field) and before.get(field):
                    spec[field] = before[field]
        service_ports.carry_over(spec, before)

    def _record(self, obj: Json, old: Json | None) -> None:
        """Keep the IPAddress objects in step with the cluster IPs."""
        has = [each for each in obj["spec"].get("clusterIPs", []) if each != "None"]
        had = [each for each in (old or {"spec": {}})["spec"].get("clusterIPs", []) if each != "None"]
        res = self._addresses_resource
        for address in had:
            known = self._store.collection(res).get("", str(ips.parse(address)))
            if address not in has and known is not None:
                self._store.remove(res, {**known.obj, "metadata": dict(known.obj["metadata"])})
        for address in has:
            if address not in had:
                self._store.write(res, _ip_address(obj["metadata"], address))


def _drop_same(spec: Json, before: Json, field: str) -> None:
    if spec.get(field) == before.get(field):
        spec.pop(field, None)


def _ip_address(service: Json, address: str) -> Json:
    labels = {
        "ipaddress.kubernetes.io/ip-family": ips.family(address),
        "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
    }
    parent = {"group": "", "resource": "services", "namespace": service["namespace"], "name": service["name"]}
    return {
        "kind": "IPAddress",
        "apiVersion": "networking.k8s.io/v1",
        "metadata": {
            "name": str(ips.parse(address)),
            "uid": service["uid"],
            "creationTimestamp": now(),
            "labels": labels,
        },
        "spec": {"parentRef": parent},
    }
