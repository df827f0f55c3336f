"""Valid Services that a careless API server refuses: those with a feature that few ask for."""

from __future__ import annotations

from collections import Counter
from typing import Any

from conformance.lab.api.status import FieldError

Json = dict[str, Any]

_BOUNDS = (1, 86400)


def refusals(service: Json) -> list[FieldError]:
    """What the fault has against a new Service; nothing against an ordinary one."""
    name, spec = service["metadata"].get("name", ""), service["spec"]
    return [
        FieldError.invalid(field, value, "is not supported")
        for field, value, odd in (
            ("metadata.name", name, name[:1].isdigit()),
            ("spec.ipFamilies[0]", "IPv6", spec.get("ipFamilies", [])[:1] == ["IPv6"]),
            ("spec.ports[1].nodePort", 0, _shares_node_port(spec)),
            ("spec.sessionAffinityConfig.clientIP.timeoutSeconds", _seconds(spec), _seconds(spec) in _BOUNDS),
            ("spec.externalIPs", spec.get("externalIPs"), bool(spec.get("externalIPs"))),
        )
        if odd
    ]


def _shares_node_port(spec: Json) -> bool:
    """Two ports of different protocols have one node port, as they may."""
    used = Counter(port["nodePort"] for port in spec.get("ports", []) if port.get("nodePort"))
    return any(count > 1 for count in used.values())


def _seconds(spec: Json) -> int | None:
    seconds: int | None = ((spec.get("sessionAffinityConfig") or {}).get("clientIP") or {}).get("timeoutSeconds")
    return seconds
