"""Which address families a Service gets, and which cluster IPs are allocated and released for them."""

from __future__ import annotations

from typing import Any

from conformance.lab.api import status
from conformance.lab.api.allocation import Addresses, Allocation, Full, Refused
from conformance.lab.api.resources import resource
from conformance.lab.api.status import FieldError
from conformance.lab.api.validation import ips
from conformance.lab.api.validation.service_addresses import cluster_ip_fields, is_headless

Json = dict[str, Any]

_OTHER = {"IPv4": "IPv6", "IPv6": "IPv4"}
_POLICY = "spec.ipFamilyPolicy"


def normalize(spec: Json, before: Json | None) -> None:
    """Make clusterIP and clusterIPs agree where the client set only one of them."""
    one, many = spec.get("clusterIP", ""), spec.get("clusterIPs", [])
    if before is None:
        if one and not many:
            spec["clusterIPs"] = [one]
        return
    old_one, old_many = before.get("clusterIP", ""), before.get("clusterIPs", [])
    if old_many and not many and old_one == one:
        spec["clusterIPs"] = many = list(old_many)
    if old_one == one or many != old_many:
        return
    if one:
        spec["clusterIPs"] = [one]
    else:
        spec.pop("clusterIPs", None)


def settle(name: str, spec: Json, before: Json | None, addresses: Addresses) -> None:
    """Fill in ipFamilyPolicy and ipFamilies; 422 where the fields contradict each other or the cluster."""
    if spec.get("type") == "ExternalName" or (before is not None and _same_prefer_dual(spec, before)):
        return
    selectorless = spec.get("clusterIP") == "None" and not spec.get("selector")
    if "ipFamilyPolicy" not in spec:
        known = (before or {}).get("ipFamilyPolicy")
        spec["ipFamilyPolicy"] = known or ("RequireDualStack" if selectorless else "SingleStack")
    _refuse(name, cluster_ip_fields(spec, before or {}))
    errors: list[FieldError] = []
    policy = spec["ipFamilyPolicy"]
    if before is not None:
        errors += _reduce(spec, before, policy)
    if policy == "SingleStack":
        for field, words in (("clusterIPs", "cluster IPs"), ("ipFamilies", "IP families")):
            if len(spec.get(field, [])) == 2:
                why = f"must be 'RequireDualStack' or 'PreferDualStack' when multiple {words} are specified"
                errors.append(FieldError.invalid(_POLICY, policy, why))
    families = list(spec.get("ipFamilies", []))
    for index, address in enumerate(spec.get("clusterIPs", [])):
        if address == "None":
            break
        family = ips.family(address)
        if index < len(families):
            continue
        if family in addresses.families:
            families.append(family)
        else:
            why = f"{family} is not configured on this cluster"
            errors.append(FieldError.invalid(f"spec.clusterIPs[{index}]", spec["clusterIPs"], why))
    _refuse(name, errors)
    if not selectorless:
        _refuse(name, _configured(families, policy, addresses))
    families = families or [addresses.default]
    dual = selectorless or len(addresses.families) == 2
    if len(families) == 1 and policy != "SingleStack" and dual:
        families.append(_OTHER[families[0]])
    spec["ipFamilies"] = families


def _same_prefer_dual(spec: Json, before: Json) -> bool:
    return (
        spec.get("ipFamilyPolicy") == before.get("ipFamilyPolicy") == "PreferDualStack"
        and spec.get("type") == before.get("type")
        and all(spec.get(field) == before.get(field) for field in ("clusterIP", "clusterIPs", "ipFamilies"))
    )


def _reduce(spec: Json, before: Json, policy: str) -> list[FieldError]:
    """A change to SingleStack drops the second of everything; no other policy may lose it."""
    same_ips = all(spec.get(field) == before.get(field) for field in ("clusterIP", "clusterIPs"))
    if policy == "SingleStack":
        if same_ips and len(spec.get("clusterIPs", [])) > 1:
            spec["clusterIPs"] = spec["clusterIPs"][:1]
        if spec.get("ipFamilies") == before.get("ipFamilies") and len(spec.get("ipFamilies", [])) > 1:
            spec["ipFamilies"] = spec["ipFamilies"][:1]
        return []
    errors = []
    for field, words in (("clusterIPs", "cluster IP"), ("ipFamilies", "IP family")):
        if 0 < len(spec.get(field, [])) < len(before.get(field, [])):
            why = f"must be 'SingleStack' to release the secondary {words}"
            errors.append(FieldError.invalid(_POLICY, policy, why))
    return errors


def _configured(families: list[str], policy: str, addresses: Addresses) -> list[FieldError]:
    errors = []
    if policy == "RequireDualStack" and len(addresses.families) < 2:
        errors.append(FieldError.invalid(_POLICY, policy, "this cluster is not configured for dual-stack services"))
    for index, family in enumerate(families):
        if family not in addresses.families:
            where = f"spec.ipFamilies[{index}]"
            errors.append(FieldError.invalid(where, family, "not configured on this cluster"))
    return errors


def allocate(name: str, spec: Json, before: Json | None, addresses: Addresses, allocation: Allocation) -> None:
    """Take the cluster IPs that the families need, give back those that are not needed any more."""
    external = spec.get("type") == "ExternalName"
    if before is None or (before.get("type") == "ExternalName" and not external):
        if not external and not is_headless(spec):
            _take(name, spec, 0, addresses, allocation)
        return
    if before.get("clusterIP") == "None" or before.get("type") == "ExternalName":
        return
    if external:
        for address in before.get("clusterIPs", []):
            addresses.give(address, allocation)
        return
    had, has = len(before.get("ipFamilies", [])), len(spec.get("ipFamilies", []))
    if (had, has) == (1, 2):
        _take(name, spec, 1, addresses, allocation)
    elif (had, has) == (2, 1) and len(before.get("clusterIPs", [])) > 1:
        addresses.give(before["clusterIPs"][1], allocation)


def _take(name: str, spec: Json, start: int, addresses: Addresses, allocation: Allocation) -> None:
    wanted: list[str] = list(spec.get("clusterIPs", []))
    for index in range(start, len(spec["ipFamilies"])):
        family = spec["ipFamilies"][index]
        if index < len(wanted):
            try:
                addresses.take(family, wanted[index], allocation)
            except Refused as why:
                detail = f"failed to allocate IP {wanted[index]}: {why}"
                _refuse(name, [FieldError.invalid("spec.clusterIPs", wanted, detail)])
            continue
        try:
            wanted.append(addresses.next(family, allocation))
        except Full as why:
            raise status.internal_error(f'failed to allocate a serviceIP for Service "{name}": {why}') from why
    spec["clusterIPs"] = wanted
    spec["clusterIP"] = wanted[0]


def _refuse(name: str, errors: list[FieldError]) -> None:
    if errors:
        raise status.invalid(resource("", "services"), name, errors)
