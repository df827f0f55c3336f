"""Addresses and CIDRs as the API takes them in 1.36 (StrictIPCIDRValidation), in its words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_interface, ip_network

from conformance.lab.api.status import FieldError

_PADDED = re.compile(r"\d{1,9}(\.\d{1,9}){3}")
_MULTICAST_V4, _MULTICAST_V6 = ip_network("224.0.0.0/24"), ip_network("ff02::/16")


def parse(value: object) -> IPv4Address | IPv6Address | None:
    """The address that a string writes, leading zeros allowed; None where it writes none."""
    return _parse(value) if isinstance(value, str) and "%" not in value else None


@lru_cache(maxsize=4096)
def _parse(value: str) -> IPv4Address | IPv6Address | None:
    text = ".".join(str(int(part)) for part in value.split(".")) if _PADDED.fullmatch(value) else value
    try:
        return ip_address(text)
    except ValueError:
        return None


def family(value: str) -> str:
    """``IPv4`` or ``IPv6``."""
    return "IPv6" if ":" in value else "IPv4"


def valid_ip(path: str, value: str, existing: Sequence[str] = ()) -> list[FieldError]:
    """Errors of an address; those that an older version of the object had are let through."""
    if value in existing:
        return []
    address = parse(value)
    if address is None:
        return [FieldError.invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)")]
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return [FieldError.invalid(path, value, "must not be an IPv4-mapped IPv6 address")]
    if isinstance(address, IPv4Address) and str(address) != value:
        return [FieldError.invalid(path, value, "must not have leading 0s")]
    return []


def canonical_ip(path: str, value: str) -> list[FieldError]:
    """Errors of an address that must be written in its one canonical form."""
    errors = valid_ip(path, value)
    if not errors and str(parse(value)) != value:
        return [FieldError.invalid(path, value, f'must be in canonical form ("{parse(value)}")')]
    return errors


def valid_cidr(path: str, value: str, existing: Sequence[str] = ()) -> list[FieldError]:
    """Errors of a CIDR; those that an older version of the object had are let through."""
    if value in existing:
        return []
    host, slash, length = value.partition("/")
    address = parse(host)
    bits = 0 if address is None else address.max_prefixlen
    if not slash or address is None or not length.isdigit() or int(length) > bits:
        return [FieldError.invalid(path, value, "must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)")]
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return [FieldError.invalid(path, value, "must not have an IPv4-mapped IPv6 address")]
    if (isinstance(address, IPv4Address) and str(address) != host) or str(int(length)) != length:
        return [FieldError.invalid(path, value, "must not have leading 0s in IP or prefix length")]
    if ip_interface(f"{address}/{length}").network.network_address != address:
        return [FieldError.invalid(path, value, "must not have bits set beyond the prefix length")]
    return []


def endpoint_ip(path: str, value: str) -> list[FieldError]:
    """Errors of an address that traffic may not be sent to: unspecified, loopback, link-local."""
    address = parse(value)
    if address is None:
        return [FieldError.invalid(path, value, "must be a valid IP address")]
    errors = []
    if address.is_unspecified:
        errors.append(FieldError.invalid(path, value, f"may not be unspecified ({value})"))
    if address.is_loopback:
        detail = "may not be in the loopback range (127.0.0.0/8, ::1/128)"
        errors.append(FieldError.invalid(path, value, detail))
    if address.is_link_local:
        detail = "may not be in the link-local range (169.254.0.0/16, fe80::/10)"
        errors.append(FieldError.invalid(path, value, detail))
    if address in _MULTICAST_V4 or address in _MULTICAST_V6:
        detail = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"
        errors.append(FieldError.invalid(path, value, detail))
    return errors
