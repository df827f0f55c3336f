"""What the API refuses in a Service's spec and status."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.status import FieldError
from conformance.lab.api.validation import ips, metadata, names
from conformance.lab.api.validation.service_addresses import cluster_ip_fields, is_headless

Json = dict[str, Any]

TYPES = frozenset({"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"})
PROTOCOLS = frozenset({"TCP", "UDP", "SCTP"})
_AFFINITIES = frozenset({"ClientIP", "None"})
_POLICIES = frozenset({"Cluster", "Local"})
_DISTRIBUTIONS = ("PreferClose", "PreferSameZone", "PreferSameNode")
_LONGEST_AFFINITY = 86400
_RANGES_ANNOTATION = "service.beta.kubernetes.io/load-balancer-source-ranges"
_ONLY_LOAD_BALANCER = "may only be used when `type` is 'LoadBalancer'"


def externally_accessible(spec: Json) -> bool:
    """The Service has addresses outside the cluster, so that externalTrafficPolicy means something."""
    if spec.get("type") in ("LoadBalancer", "NodePort"):
        return True
    return spec.get("type") == "ClusterIP" and bool(spec.get("externalIPs"))


def needs_health_check(spec: Json) -> bool:
    """The Service has a healthCheckNodePort."""
    return spec.get("type") == "LoadBalancer" and spec.get("externalTrafficPolicy") == "Local"


def validate(service: Json, old: Json | None) -> list[FieldError]:
    """Everything that is wrong with a Service, in the order in which the API tells it."""
    spec = service["spec"]
    before: Json = old["spec"] if old else {}
    errors: list[FieldError] = []
    if not spec.get("ports") and not is_headless(spec) and spec.get("type") != "ExternalName":
        errors.append(FieldError.required("spec.ports"))
    errors += _type_fields(spec)
    seen: set[str] = set()
    ports = spec.get("ports", [])
    for index, port in enumerate(ports):
        errors += _port(port, f"spec.ports[{index}]", seen, named=len(ports) > 1)
    if "selector" in spec:
        errors += metadata.labels(spec["selector"], "spec.selector")
    errors += _affinity(spec)
    errors += cluster_ip_fields(spec, before)
    for index, address in enumerate(spec.get("externalIPs", [])):
        path = f"spec.externalIPs[{index}]"
        errors += ips.valid_ip(path, address, before.get("externalIPs", ())) or ips.endpoint_ip(path, address)
    if spec.get("type") not in TYPES:
        errors.append(FieldError.not_supported("spec.type", spec.get("type"), TYPES))
    errors += _duplicate_ports(spec)
    errors += _source_ranges(service, old)
    if "allocateLoadBalancerNodePorts" in spec and spec.get("type") != "LoadBalancer":
        errors.append(FieldError.forbidden("spec.allocateLoadBalancerNodePorts", _ONLY_LOAD_BALANCER))
    errors += _load_balancer_class(spec)
    return errors + _policies(spec)


def validate_update(service: Json, old: Json) -> list[FieldError]:
    """What may not change, apart from addresses."""
    spec, before = service["spec"], old["spec"]
    errors = []
    both = spec.get("type") == before.get("type") == "LoadBalancer"
    if both and spec.get("loadBalancerClass") != before.get("loadBalancerClass"):
        value = spec.get("loadBalancerClass")
        errors.append(FieldError.invalid("spec.loadBalancerClass", value, "may not change once set"))
        errors += _load_balancer_class(spec)
    kept = needs_health_check(spec) and needs_health_check(before)
    if kept and spec.get("healthCheckNodePort") != before.get("healthCheckNodePort"):
        errors.append(FieldError.forbidden("spec.healthCheckNodePort", "field is immutable"))
    return errors


def validate_status(service: Json, old: Json) -> list[FieldError]:
    """What is wrong with ``status.loadBalancer``."""
    ingress = service.get("status", {}).get("loadBalancer", {}).get("ingress", [])
    path = "status.loadBalancer.ingress"
    if ingress and service["spec"].get("type") != "LoadBalancer":
        return [FieldError.forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'")]
    existing = [each.get("ip", "") for each in old.get("status", {}).get("loadBalancer", {}).get("ingress", [])]
    errors = []
    for index, each in enumerate(ingress):
        here = f"{path}[{index}]"
        address, mode, hostname = each.get("ip", ""), each.get("ipMode"), each.get("hostname", "")
        if address:
            errors += ips.valid_ip(f"{here}.ip", address, existing)
        if mode is None and address:
            errors.append(FieldError.required(f"{here}.ipMode", "must be specified when `ip` is set"))
        elif mode is not None and not address:
            errors.append(FieldError.forbidden(f"{here}.ipMode", "may not be specified when `ip` is not set"))
        elif mode is not None and mode not in ("VIP", "Proxy"):
            errors.append(FieldError.not_supported(f"{here}.ipMode", mode, ("VIP", "Proxy")))
        if hostname:
            errors += [FieldError.invalid(f"{here}.hostname", hostname, why) for why in names.dns_subdomain(hostname)]
            if ips.parse(hostname) is not None:
                why = "must be a DNS name, not an IP address"
                errors.append(FieldError.invalid(f"{here}.hostname", hostname, why))
    return errors


def _type_fields(spec: Json) -> list[FieldError]:
    kind = spec.get("type")
    if kind in ("LoadBalancer", "NodePort") and is_headless(spec):
        return [FieldError.invalid("spec.clusterIPs[0]", "None", f"may not be set to 'None' for {kind} services")]
    if kind != "ExternalName":
        return []
    errors = [
        FieldError.forbidden(f"spec.{field}", "may not be set for ExternalName services")
        for field in ("clusterIPs", "ipFamilies", "ipFamilyPolicy")
        if spec.get(field)
    ]
    target = spec.get("externalName", "").removesuffix(".")
    if not target:
        return [*errors, FieldError.required("spec.externalName")]
    return errors + [FieldError.invalid("spec.externalName", target, why) for why in names.dns_subdomain(target)]


def _port(port: Json, path: str, seen: set[str], *, named: bool) -> list[FieldError]:
    errors: list[FieldError] = []
    name = port.get("name", "")
    if not name:
        errors += [FieldError.required(f"{path}.name")] if named else []
    else:
        errors += [FieldError.invalid(f"{path}.name", name, why) for why in names.dns_label(name)]
        if name in seen:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        seen.add(name)
    number = port.get("port", 0)
    errors += [FieldError.invalid(f"{path}.port", number, why) for why in names.port_number(number)]
    if port.get("protocol") not in PROTOCOLS:
        errors.append(FieldError.not_supported(f"{path}.protocol", port.get("protocol"), PROTOCOLS))
    errors += port_number_or_name(port.get("targetPort", 0), f"{path}.targetPort")
    if "appProtocol" in port:
        protocol = port["appProtocol"]
        errors += [FieldError.invalid(f"{path}.appProtocol", protocol, why) for why in names.qualified_name(protocol)]
    return errors


def port_number_or_name(value: Any, path: str) -> list[FieldError]:  # noqa: ANN401  an IntOrString
    """What is wrong with a port that may be given by number or by name."""
    problems = names.port_name(value) if isinstance(value, str) else names.port_number(value)
    return [FieldError.invalid(path, value, problem) for problem in problems]


def _affinity(spec: Json) -> list[FieldError]:
    affinity = spec.get("sessionAffinity", "")
    path = "spec.sessionAffinityConfig"
    config = spec.get("sessionAffinityConfig")
    if affinity not in _AFFINITIES:
        return [FieldError.not_supported("spec.sessionAffinity", affinity, _AFFINITIES)]
    if affinity == "None":
        why = "must not be set when session affinity is None"
        return [FieldError.forbidden(path, why)] if config is not None else []
    seconds = ((config or {}).get("clientIP") or {}).get("timeoutSeconds")
    if seconds is None:
        return [FieldError.required(path, "when session affinity type is ClientIP")]
    if 0 < seconds <= _LONGEST_AFFINITY:
        return []
    why = f"must be greater than 0 and less than {_LONGEST_AFFINITY}"
    return [FieldError.invalid(f"{path}.clientIP.timeoutSeconds", seconds, why)]


def _duplicate_ports(spec: Json) -> list[FieldError]:
    errors = []
    ports = spec.get("ports", [])
    if spec.get("type") == "ClusterIP":
        errors += [
            FieldError.forbidden(f"spec.ports[{index}].nodePort", "may not be used when `type` is 'ClusterIP'")
            for index, port in enumerate(ports)
            if port.get("nodePort")
        ]
    taken: set[tuple[str, int]] = set()
    for index, port in enumerate(ports):
        if port.get("nodePort"):
            key = (port.get("protocol", ""), port["nodePort"])
            if key in taken:
                errors.append(FieldError.duplicate(f"spec.ports[{index}].nodePort", port["nodePort"]))
            taken.add(key)
    taken = set()
    for index, port in enumerate(ports):
        key = (port.get("protocol", ""), port.get("port", 0))
        if key in taken:
            empty = {"AppProtocol": None, "Port": key[1], "TargetPort": 0, "NodePort": 0}
            errors.append(FieldError.duplicate(f"spec.ports[{index}]", {"Name": "", "Protocol": key[0], **empty}))
        taken.add(key)
    return errors


def _source_ranges(service: Json, old: Json | None) -> list[FieldError]:
    spec = service["spec"]
    ranges = spec.get("loadBalancerSourceRanges", [])
    annotation = service["metadata"].get("annotations", {}).get(_RANGES_ANNOTATION)
    if ranges:
        # the capital letter is the API's own
        path, values = "spec.LoadBalancerSourceRanges", [each.strip() for each in ranges]
        existing = [each.strip() for each in (old["spec"] if old else {}).get("loadBalancerSourceRanges", [])]
        paths = [f"{path}[{index}]" for index in range(len(values))]
    elif annotation is not None:
        path = f"metadata.annotations[{_RANGES_ANNOTATION}]"
        same = old is not None and old["metadata"].get("annotations", {}).get(_RANGES_ANNOTATION) == annotation
        values = [each.strip() for each in annotation.split(",")] if annotation.strip() and not same else []
        existing, paths = [], [path] * len(values)
    else:
        return []
    errors = [] if spec.get("type") == "LoadBalancer" else [FieldError.forbidden(path, _ONLY_LOAD_BALANCER)]
    for where, value in zip(paths, values, strict=True):
        errors += ips.valid_cidr(where, value, existing)
    return errors


def _load_balancer_class(spec: Json) -> list[FieldError]:
    name = spec.get("loadBalancerClass")
    if name is None:
        return []
    if spec.get("type") != "LoadBalancer":
        return [FieldError.forbidden("spec.loadBalancerClass", _ONLY_LOAD_BALANCER)]
    return [FieldError.invalid("spec.loadBalancerClass", name, why) for why in names.qualified_name(name)]


def _policies(spec: Json) -> list[FieldError]:
    errors = []
    external, internal = spec.get("externalTrafficPolicy"), spec.get("internalTrafficPolicy")
    port = spec.get("healthCheckNodePort", 0)
    if not externally_accessible(spec):
        if external:
            why = "may only be set for externally-accessible services"
            errors.append(FieldError.invalid("spec.externalTrafficPolicy", external, why))
    elif external not in _POLICIES:
        errors.append(FieldError.not_supported("spec.externalTrafficPolicy", external, _POLICIES))
    if needs_health_check(spec):
        errors += [FieldError.invalid("spec.healthCheckNodePort", port, why) for why in names.port_number(port)]
    elif port:
        why = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"
        errors.append(FieldError.invalid("spec.healthCheckNodePort", port, why))
    if internal is not None and internal not in _POLICIES:
        errors.append(FieldError.not_supported("spec.internalTrafficPolicy", internal, _POLICIES))
    distribution = spec.get("trafficDistribution")
    if distribution is not None and distribution not in _DISTRIBUTIONS:
        errors.append(FieldError.not_supported("spec.trafficDistribution", distribution, _DISTRIBUTIONS))
    return errors
