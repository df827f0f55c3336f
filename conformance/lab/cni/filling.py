"""One conflist for all nodes: the placeholders in it, as ``${POD_CIDR_IPV4}``, and what they are on each (pure)."""

from __future__ import annotations

import re
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from conformance.lab.addresses import AddressPlan, NodePlan
from conformance.lab.cni.conf import ConfError

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_FIRST_FREE, _LAST_FREE = 104, 253  # on the nodes' own network, past nodes and external clients
_FAMILIES = ("IPV4", "IPV6")


def values(plan: AddressPlan, node: NodePlan) -> dict[str, str]:
    """What each placeholder stands for on ``node``.

    ``UPLINK_FIRST`` to ``UPLINK_LAST`` are addresses of the network between the nodes that are this node's to give.
    """
    size = (_LAST_FREE - _FIRST_FREE + 1) // plan.node_count
    first = _FIRST_FREE + (node.index - 1) * size
    found = {"NODE": node.name}
    for index, family in enumerate(_FAMILIES):
        uplink = ip_network(plan.fabric_gateways[index], strict=False)
        base = int(uplink.network_address)
        found |= {
            f"NODE_{family}": node.addresses[index],
            f"POD_CIDR_{family}": node.pod_cidrs[index],
            f"POD_GATEWAY_{family}": str(ip_network(node.pod_cidrs[index])[1]),
            f"CLUSTER_CIDR_{family}": plan.cluster_cidrs[index],
            f"SERVICE_CIDR_{family}": plan.service_cidrs[index],
            f"UPLINK_CIDR_{family}": str(uplink),
            f"UPLINK_GATEWAY_{family}": plan.fabric_gateway_addresses[index],
            # As the plan writes its IPv6 addresses: the last group has the digits of the IPv4 one.
            f"UPLINK_FIRST_{family}": str(type(uplink.network_address)(base + _digits(first, family))),
            f"UPLINK_LAST_{family}": str(type(uplink.network_address)(base + _digits(first + size - 1, family))),
        }
    return found


def fill(what: Any, known: dict[str, str]) -> Any:  # noqa: ANN401  JSON
    """``what`` with every placeholder in its strings filled in; ``ConfError`` for one that there is not."""
    if isinstance(what, dict):
        return {key: fill(value, known) for key, value in what.items()}
    if isinstance(what, list | tuple):
        return [fill(value, known) for value in what]
    return _PLACEHOLDER.sub(lambda found: _one(found[1], known), what) if isinstance(what, str) else what


def kept_in(what: dict[str, Any], folder: Path) -> dict[str, Any]:
    """A plugin's configuration whose host-local address management keeps its leases in ``folder``, wherever else."""
    ipam = what.get("ipam") or {}
    return {**what, "ipam": {**ipam, "dataDir": str(folder)}} if ipam.get("type") == "host-local" else what


def _one(name: str, known: dict[str, str]) -> str:
    if name not in known:
        raise ConfError(f"has the unknown placeholder ${{{name}}}; there are {', '.join(known)}")
    return known[name]


def _digits(number: int, family: str) -> int:
    return number if family == "IPV4" else int(str(number), 16)
