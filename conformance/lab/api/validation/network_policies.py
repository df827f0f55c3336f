"""What the API refuses in a NetworkPolicy (``pkg/apis/networking/validation/validation.go``)."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator
from typing import Any

from conformance.lab.api.status import FieldError
from conformance.lab.api.validation import ips, metadata, names

Json = dict[str, Any]

_PROTOCOLS = ("TCP", "UDP", "SCTP")
_TYPES = ("Ingress", "Egress")
_VALUED, _BARE = ("In", "NotIn"), ("Exists", "DoesNotExist")


def errors(spec: Json, before: Json | None = None) -> list[FieldError]:
    """Errors of a policy's spec; CIDRs of the one ``before`` are let through."""
    known = frozenset(_cidrs(before)) if before else frozenset[str]()
    found = _selector("spec.podSelector", spec.get("podSelector") or {})
    for way, side in (("ingress", "from"), ("egress", "to")):
        for index, rule in enumerate(spec.get(way) or ()):
            path = f"spec.{way}[{index}]"
            for number, port in enumerate(rule.get("ports") or ()):
                found += _port(f"{path}.ports[{number}]", port)
            for number, peer in enumerate(rule.get(side) or ()):
                found += _peer(f"{path}.{side}[{number}]", peer, known)
    types = spec.get("policyTypes") or []
    if len(types) > len(_TYPES):
        return [*found, FieldError.invalid("spec.policyTypes", types, "may not specify more than two policyTypes")]
    for index, one in enumerate(types):
        if one not in _TYPES:
            found.append(FieldError.not_supported(f"spec.policyTypes[{index}]", one, _TYPES))
    return found


def _cidrs(spec: Json) -> Iterator[str]:
    for way, side in (("ingress", "from"), ("egress", "to")):
        for rule in spec.get(way) or ():
            for block in (peer["ipBlock"] for peer in rule.get(side) or () if "ipBlock" in peer):
                yield from (block.get("cidr", ""), *(block.get("except") or ()))


def _port(path: str, port: Json) -> list[FieldError]:
    found = []
    protocol, number, end = port.get("protocol", "TCP"), port.get("port"), port.get("endPort")
    if protocol not in _PROTOCOLS:
        found.append(FieldError.not_supported(f"{path}.protocol", protocol, _PROTOCOLS))
    if number is None:
        if end is not None:
            why = "may not be specified when `port` is not specified"
            found.append(FieldError.invalid(f"{path}.endPort", end, why))
    elif isinstance(number, str):
        if end is not None:
            why = "may not be specified when `port` is non-numeric"
            found.append(FieldError.invalid(f"{path}.endPort", end, why))
        found += [FieldError.invalid(f"{path}.port", number, why) for why in names.port_name(number)]
    else:
        found += [FieldError.invalid(f"{path}.port", number, why) for why in names.port_number(number)]
        if end is not None:
            if end < number:
                found.append(FieldError.invalid(f"{path}.endPort", number, "must be greater than or equal to `port`"))
            found += [FieldError.invalid(f"{path}.endPort", end, why) for why in names.port_number(end)]
    return found


def _peer(path: str, peer: Json, known: Collection[str]) -> list[FieldError]:
    found = []
    for name in ("podSelector", "namespaceSelector"):
        if name in peer:
            found += _selector(f"{path}.{name}", peer[name])
    if "ipBlock" in peer:
        found += _block(f"{path}.ipBlock", peer["ipBlock"], known)
    if not peer:
        found.append(FieldError.required(path, "must specify a peer"))
    elif "ipBlock" in peer and len(peer) > 1:
        found.append(FieldError.forbidden(path, "may not specify both ipBlock and another peer"))
    return found


def _block(path: str, block: Json, known: Collection[str]) -> list[FieldError]:
    cidr = block.get("cidr") or ""
    if not cidr:
        return [FieldError.required(f"{path}.cidr")]
    found = ips.valid_cidr(f"{path}.cidr", cidr, tuple(known))
    whole = _network(cidr)
    if whole is None:
        return found
    for index, beyond in enumerate(block.get("except") or ()):
        here = f"{path}.except[{index}]"
        found += ips.valid_cidr(here, beyond, tuple(known))
        part = _network(beyond)
        if part is not None and not (
            part.version == whole.version and part.network_address in whole and whole.prefixlen < part.prefixlen
        ):
            found.append(FieldError.invalid(here, beyond, "must be a strict subset of `cidr`"))
    return found


def _network(cidr: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(cidr, strict=False)
    except ValueError:
        return None


def _selector(path: str, selector: Json) -> list[FieldError]:
    found = metadata.labels(selector.get("matchLabels") or {}, f"{path}.matchLabels")
    for index, one in enumerate(selector.get("matchExpressions") or ()):
        here = f"{path}.matchExpressions[{index}]"
        operator, values = one.get("operator", ""), one.get("values") or []
        if operator in _VALUED and not values:
            why = "must be specified when `operator` is 'In' or 'NotIn'"
            found.append(FieldError.required(f"{here}.values", why))
        elif operator in _BARE and values:
            why = "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"
            found.append(FieldError.forbidden(f"{here}.values", why))
        elif operator not in (*_VALUED, *_BARE):
            found.append(FieldError.invalid(f"{here}.operator", operator, "not a valid selector operator"))
        key = one.get("key", "")
        found += [FieldError.invalid(f"{here}.key", key, why) for why in names.qualified_name(key)]
        for number, value in enumerate(values):
            bad = names.label_value(value)
            found += [FieldError.invalid(f"{here}.values[{number}]", value, why) for why in bad]
    return found
