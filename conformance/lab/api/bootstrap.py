"""The objects that every cluster has from its first second."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.bootstrap_roles import BINDINGS, ROLES
from conformance.lab.api.config import Config
from conformance.lab.api.registry import Registry
from conformance.lab.api.resources import resource

Json = dict[str, Any]

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def bootstrap(registry: Registry, config: Config) -> None:
    """Create namespaces, default roles, the ServiceCIDR, and the ``kubernetes`` Service with its endpoint."""
    for name in NAMESPACES:
        registry.create(resource("", "namespaces"), "", {"metadata": {"name": name}})
    rbac = "rbac.authorization.k8s.io"
    for role in ROLES:
        registry.create(resource(rbac, "clusterroles"), "", dict(role))
    for binding in BINDINGS:
        registry.create(resource(rbac, "clusterrolebindings"), "", dict(binding))
    ready = {"type": "Ready", "status": "True", "reason": "", "message": "Kubernetes Service CIDR is ready"}
    cidr = {
        "metadata": {"name": "kubernetes", "finalizers": ["networking.k8s.io/service-cidr-finalizer"]},
        "spec": {"cidrs": [str(each) for each in config.service_cidrs]},
        "status": {"conditions": [ready]},
    }
    registry.create(resource("networking.k8s.io", "servicecidrs"), "", cidr)
    _kubernetes(registry, config)


def _kubernetes(registry: Registry, config: Config) -> None:
    address, port = config.advertise
    first = config.service_cidrs[0]
    service: Json = {
        "metadata": {"name": "kubernetes", "labels": {"component": "apiserver", "provider": "kubernetes"}},
        "spec": {
            "clusterIP": str(first.network_address + 1),
            "ports": [{"name": "https", "port": 443, "protocol": "TCP", "targetPort": port}],
        },
    }
    registry.create(resource("", "services"), "default", service)
    ports = [{"name": "https", "port": port, "protocol": "TCP"}]
    endpoints: Json = {
        "metadata": {"name": "kubernetes", "labels": {"endpointslice.kubernetes.io/skip-mirror": "true"}},
        "subsets": [{"addresses": [{"ip": address}], "ports": ports}],
    }
    registry.store.write(resource("", "endpoints"), _stamped(registry, endpoints, "Endpoints", "v1"))
    endpoint_slice: Json = {
        "metadata": {"name": "kubernetes", "labels": {"kubernetes.io/service-name": "kubernetes"}},
        "addressType": "IPv6" if ":" in address else "IPv4",
        "endpoints": [{"addresses": [address], "conditions": {"ready": True}}],
        "ports": ports,
    }
    res = resource("discovery.k8s.io", "endpointslices")
    registry.store.write(res, _stamped(registry, endpoint_slice, "EndpointSlice", res.api_version))


def _stamped(registry: Registry, obj: Json, kind: str, version: str) -> Json:
    """The object as if it had been created; written past validation, which refuses the loopback of a test's server."""
    service = registry.get(resource("", "services"), "default", "kubernetes").obj["metadata"]
    metadata = {"namespace": "default", "uid": service["uid"], "creationTimestamp": service["creationTimestamp"]}
    return {"kind": kind, "apiVersion": version, **obj, "metadata": {**obj["metadata"], **metadata}}
