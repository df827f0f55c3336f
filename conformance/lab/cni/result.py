"""What plugins answer: results of ADD, errors, and the versions they speak (pure). Everything is untrusted.

Source: SPEC.md of containernetworking/cni, section 5.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from ipaddress import ip_interface
from typing import Any

Json = dict[str, Any]

_UNAVAILABLE, _LIMITED = 50, 51
_LONGEST = 400


class ResultError(ValueError):
    """It is not what a plugin may answer; the message continues "the plugin ...", without a full stop."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a plugin did not do what it was told; ``code`` 0: it did not say."""

    code: int
    message: str
    details: str = ""

    def __str__(self) -> str:
        known = {_UNAVAILABLE: "not available: ", _LIMITED: "limited connectivity: "}.get(self.code, "")
        text = f"{known}{self.message}" + (f" ({self.details})" if self.details else "")
        number = f" [code {self.code}]" if self.code else ""
        return _short(" ".join(text.split())) + number


def added(output: bytes) -> Json:
    """The result of an ADD, as the next plugin and the cache get it; ``ResultError``."""
    try:
        found = json.loads(output)
    except (ValueError, RecursionError) as error:
        said = _short(output.decode(errors="replace").strip())
        raise ResultError(f"answered {said!r}, which is no JSON" if said else "answered nothing") from error
    if not isinstance(found, dict):
        raise ResultError(f"answered {_short(json.dumps(found))}, which is no result")
    if not isinstance(found.get("cniVersion"), str):
        raise ResultError("answered a result without a cniVersion")
    for field in ("ips", "interfaces", "routes"):
        listed = found.get(field) or []
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            raise ResultError(f"answered a result with malformed {field}")
    return found


def addresses(result: Json) -> tuple[str, ...]:
    """The pod's address of each family, IPv4 first as container runtimes report them; ``ResultError``."""
    interfaces = result.get("interfaces") or []
    found: dict[int, str] = {}
    for one in result.get("ips") or []:
        index = one.get("interface")
        if isinstance(index, int) and not 0 <= index < len(interfaces):
            raise ResultError(f"answered an address of interface {index}, which it does not list")
        if isinstance(index, int) and not interfaces[index].get("sandbox"):
            continue  # the node's side
        try:
            address = ip_interface(one.get("address"))
        except ValueError as error:
            raise ResultError(f"answered {one.get('address')!r}, which is no address") from error
        found.setdefault(address.version, str(address.ip))
    if not found:
        raise ResultError("gave the pod no address")
    return tuple(address for _, address in sorted(found.items()))


def failure(output: bytes, errors: bytes, code: int) -> Failure:
    """What a plugin that ended with exit code ``code`` says of it."""
    said = " ".join(errors.decode(errors="replace").split())
    try:
        found = json.loads(output)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or not isinstance(found.get("msg"), str):
        words = said or " ".join(output.decode(errors="replace").split())
        ended = f"ended with signal {-code}" if code < 0 else f"ended with {code}"
        return Failure(0, f"{ended}: {words}" if words else f"{ended} and said nothing")
    number, details = found.get("code"), found.get("details")
    return Failure(number if isinstance(number, int) else 0, found["msg"], details if isinstance(details, str) else "")


def spoken(output: bytes) -> tuple[str, ...]:
    """The versions that a plugin says it speaks; ``ResultError``."""
    try:
        found = json.loads(output)
        versions = found["supportedVersions"]
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise ResultError("does not say which versions of CNI it speaks") from error
    if not isinstance(versions, list):
        raise ResultError("does not say which versions of CNI it speaks")
    return tuple(str(one) for one in versions)


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
