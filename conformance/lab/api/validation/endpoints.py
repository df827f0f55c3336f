"""What the API refuses in EndpointSlices and Endpoints."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.status import FieldError
from conformance.lab.api.validation import ips, names

Json = dict[str, Any]

_TYPES = frozenset({"IPv4", "IPv6", "FQDN"})
_PROTOCOLS = frozenset({"TCP", "UDP", "SCTP"})
_ENDPOINTS, _ADDRESSES, _PORTS, _HINTS = 1000, 100, 20000, 8


def slice_errors(obj: Json, old: Json | None) -> list[FieldError]:
    """Errors of an EndpointSlice."""
    kind = obj.get("addressType", "")
    errors: list[FieldError] = []
    if not kind:
        errors.append(FieldError.required("addressType"))
    elif kind not in _TYPES:
        errors.append(FieldError.not_supported("addressType", kind, _TYPES))
    errors += _slice_ports(obj.get("ports", []))
    if old is None or obj.get("endpoints") != old.get("endpoints"):
        errors += _slice_endpoints(obj.get("endpoints", []), kind)
    if old is not None and kind != old.get("addressType"):
        errors.append(FieldError.invalid("addressType", kind, "field is immutable"))
    return errors


def _slice_ports(ports: list[Json]) -> list[FieldError]:
    if len(ports) > _PORTS:
        return [FieldError.too_many("ports", len(ports), _PORTS)]
    errors: list[FieldError] = []
    seen: set[str] = set()
    for index, port in enumerate(ports):
        path, name = f"ports[{index}]", port.get("name", "")
        if name:
            errors += [FieldError.invalid(f"{path}.name", name, why) for why in names.dns_label(name)]
        if name in seen:
            errors.append(FieldError.duplicate(f"{path}.name", name))
        seen.add(name)
        if port.get("protocol") not in _PROTOCOLS:
            errors.append(FieldError.not_supported(f"{path}.protocol", port.get("protocol"), _PROTOCOLS))
        if "appProtocol" in port:
            problems = names.qualified_name(port["appProtocol"])
            errors += [FieldError.invalid(f"{path}.appProtocol", port["appProtocol"], why) for why in problems]
    return errors


def _slice_endpoints(endpoints: list[Json], kind: str) -> list[FieldError]:
    if len(endpoints) > _ENDPOINTS:
        return [FieldError.too_many("endpoints", len(endpoints), _ENDPOINTS)]
    errors: list[FieldError] = []
    for index, endpoint in enumerate(endpoints):
        path = f"endpoints[{index}]"
        addresses = endpoint.get("addresses", [])
        if not addresses:
            errors.append(FieldError.required(f"{path}.addresses", "must contain at least 1 address"))
        elif len(addresses) > _ADDRESSES:
            errors.append(FieldError.too_many(f"{path}.addresses", len(addresses), _ADDRESSES))
        for position, address in enumerate(addresses):
            errors += _address(address, kind, f"{path}.addresses", position)
        if endpoint.get("nodeName"):
            problems = names.dns_subdomain(endpoint["nodeName"])
            errors += [FieldError.invalid(f"{path}.nodeName", endpoint["nodeName"], why) for why in problems]
        if endpoint.get("hostname"):
            problems = names.dns_label(endpoint["hostname"])
            errors += [FieldError.invalid(f"{path}.hostname", endpoint["hostname"], why) for why in problems]
        errors += _hints(endpoint.get("hints") or {}, f"{path}.hints")
    return errors


def _address(address: str, kind: str, path: str, position: int) -> list[FieldError]:
    here = f"{path}[{position}]"
    if kind == "FQDN":
        return [FieldError.invalid(here, address, why) for why in names.dns_subdomain(address.removesuffix("."))]
    if kind not in _TYPES:
        return []
    errors = ips.canonical_ip(here, address) if kind == "IPv6" else ips.valid_ip(here, address)
    if errors:
        return errors
    if ips.family(address) != kind:
        errors.append(FieldError.invalid(path, address, f"must be an {kind} address"))
    return errors + ips.endpoint_ip(here, address)


def _hints(hints: Json, path: str) -> list[FieldError]:
    errors: list[FieldError] = []
    for field, check in (("forZones", names.label_value), ("forNodes", names.dns_subdomain)):
        values = [each.get("name", "") for each in hints.get(field) or []]
        if len(values) > _HINTS:
            return [*errors, FieldError.too_many(f"{path}.{field}", len(values), _HINTS)]
        for index, value in enumerate(values):
            where = f"{path}.{field}[{index}].name"
            if value in values[:index]:
                errors.append(FieldError.duplicate(where, value))
            errors += [FieldError.invalid(where, value, why) for why in check(value)]
    return errors


def endpoints_errors(obj: Json) -> list[FieldError]:
    """Errors of an Endpoints object."""
    errors: list[FieldError] = []
    for index, subset in enumerate(obj.get("subsets", [])):
        path = f"subsets[{index}]"
        groups = [(kind, subset.get(kind, [])) for kind in ("addresses", "notReadyAddresses")]
        if not any(each for _, each in groups):
            errors.append(FieldError.required(path, "must specify `addresses` or `notReadyAddresses`"))
        for kind, addresses in groups:
            for position, each in enumerate(addresses):
                where = f"{path}.{kind}[{position}].ip"
                errors += ips.valid_ip(where, each.get("ip", "")) or ips.endpoint_ip(where, each["ip"])
        ports = subset.get("ports", [])
        for position, port in enumerate(ports):
            where = f"{path}.ports[{position}]"
            name, number = port.get("name", ""), port.get("port", 0)
            if len(ports) > 1 and not name:
                errors.append(FieldError.required(f"{where}.name"))
            elif name:
                errors += [FieldError.invalid(f"{where}.name", name, why) for why in names.dns_label(name)]
            errors += [FieldError.invalid(f"{where}.port", number, why) for why in names.port_number(number)]
            if port.get("protocol") not in _PROTOCOLS:
                errors.append(FieldError.not_supported(f"{where}.protocol", port.get("protocol"), _PROTOCOLS))
    return errors
