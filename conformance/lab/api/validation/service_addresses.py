"""What the API refuses in ``clusterIP``, ``clusterIPs``, ``ipFamilies`` and ``ipFamilyPolicy``."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.status import FieldError
from conformance.lab.api.validation import ips

Json = dict[str, Any]

FAMILIES = frozenset({"IPv4", "IPv6"})
FAMILY_POLICIES = frozenset({"SingleStack", "PreferDualStack", "RequireDualStack"})
_ONCE = "may not change once set"


def is_headless(spec: Json) -> bool:
    """``clusterIPs`` is None and nothing else."""
    return spec.get("clusterIPs") == ["None"]


def cluster_ip_fields(spec: Json, before: Json) -> list[FieldError]:
    """Errors of the four fields by themselves and with each other."""
    if spec.get("type") == "ExternalName":
        return []
    path = "spec.clusterIPs"
    first, addresses = spec.get("clusterIP", ""), spec.get("clusterIPs", [])
    families = spec.get("ipFamilies", [])
    errors = _paired(first, addresses)
    seen: set[str] = set()
    for index, family in enumerate(families):
        if family not in FAMILIES:
            errors.append(FieldError.not_supported(f"spec.ipFamilies[{index}]", family, FAMILIES))
        if family in seen:
            errors.append(FieldError.duplicate(f"spec.ipFamilies[{index}]", family))
        seen.add(family)
    policy = spec.get("ipFamilyPolicy")
    if policy is not None and policy not in FAMILY_POLICIES:
        errors.append(FieldError.not_supported("spec.ipFamilyPolicy", policy, FAMILY_POLICIES))
    bad: list[FieldError] = []
    for index, address in enumerate(addresses):
        if index == 0 and address == "None":
            if len(addresses) > 1:
                bad.append(FieldError.invalid(path, addresses, "'None' must be the first and only value"))
            continue
        bad += ips.valid_ip(f"{path}[{index}]", address, before.get("clusterIPs", ()))
    errors += bad
    if len(addresses) > 2:
        errors.append(FieldError.invalid(path, addresses, "may only hold up to 2 values"))
    if bad:
        return errors
    if len(addresses) > 1 and len({ips.family(each) for each in addresses}) < 2:
        errors.append(FieldError.invalid(path, addresses, "may specify no more than one IP for each IP family"))
    if not is_headless(spec):
        for index, (address, family) in enumerate(zip(addresses, families, strict=False)):
            if family in FAMILIES and family != ips.family(address):
                why = f"expected an {family} value as indicated by `ipFamilies[{index}]`"
                errors.append(FieldError.invalid(f"{path}[{index}]", address, why))
    return errors


def _paired(first: str, addresses: list[str]) -> list[FieldError]:
    path = "spec.clusterIPs"
    if first and not addresses:
        return [FieldError.required(path)]
    if first and addresses[0] != first:
        return [FieldError.invalid(path, addresses, "first value must match `clusterIP`")]
    if addresses and not first:
        return [FieldError.invalid(path, addresses, "must be empty when `clusterIP` is not specified")]
    return []


def address_change(spec: Json, before: Json) -> list[FieldError]:
    """Errors of changed addresses and families: the first of each stays, the second comes and goes by policy."""
    if "ExternalName" in (spec.get("type"), before.get("type")):
        return []
    headless, was = is_headless(spec), is_headless(before)
    errors: list[FieldError] = []
    if not (headless and was):
        errors += _kept(spec, before, "clusterIPs", "clusterIP", "secondary clusterIP")
    if not headless and not was:
        errors += _kept(spec, before, "ipFamilies", "ipFamily", "secondary ipFamily")
    return errors


def _kept(spec: Json, before: Json, field: str, one: str, second: str) -> list[FieldError]:
    new, old = spec.get(field, []), before.get(field, [])
    path = f"spec.{field}"
    told = new if field == "clusterIPs" else spec.get("clusterIPs", [])
    if len(new) == len(old):
        return [
            FieldError.invalid(f"{path}[{index if field == 'clusterIPs' else 0}]", new, _ONCE)
            for index, (now, then) in enumerate(zip(new, old, strict=True))
            if now != then
        ]
    errors = []
    if not new:
        errors.append(FieldError.invalid(f"{path}[0]", new, f"primary {one} can not be unset"))
    if new and old and new[0] != old[0]:
        errors.append(FieldError.invalid(f"{path}[0]", told, _ONCE))
    if len(new) == 1 and len(old) > 1 and spec.get("ipFamilyPolicy") != "SingleStack":
        why = f"must be set to 'SingleStack' when releasing the {second}"
        errors.append(FieldError.invalid("spec.ipFamilyPolicy", spec.get("ipFamilyPolicy"), why))
    return errors
