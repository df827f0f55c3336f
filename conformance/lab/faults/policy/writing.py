"""Rules that match something else (pure)."""

from __future__ import annotations

import re

from conformance.lab.addresses import MAX_NODES, AddressPlan
from conformance.lab.faults.policy.registry import mis_writes
from conformance.spec.faults import Fault

_PORT = re.compile(r"\b(tcp|udp|sctp) dport (\S+)")
_EGRESS_PEER = re.compile(r"^(ip6?) daddr (\{.*\} (?:ip6? daddr != \S+ )*)", re.MULTILINE)
_NODES = AddressPlan(MAX_NODES).nodes


@mis_writes(Fault.NETWORK_POLICY_BEFORE_TRANSLATION)
def before_translation(text: str) -> str:
    """Ports are those that were dialled."""
    return _PORT.sub(r"meta l4proto \1 ct original proto-dst \2", text)


@mis_writes(Fault.NETWORK_POLICY_BY_SERVICE_ADDRESS)
def by_service_address(text: str) -> str:
    """Who is dialled is told by the address that was dialled."""
    return _EGRESS_PEER.sub(r"ct original \1 daddr \2", text)


@mis_writes(Fault.NETWORK_POLICY_PROTOCOL_IGNORED)
def protocol_ignored(text: str) -> str:
    """A port is that of every protocol."""
    return _PORT.sub(r"meta l4proto { tcp, udp, sctp } th dport \2", text)


@mis_writes(Fault.NETWORK_POLICY_TCP_ONLY)
def tcp_only(text: str) -> str:
    """Nothing but TCP is kept out."""
    return re.sub(r"^drop$", "meta l4proto tcp drop", text, flags=re.MULTILINE)


@mis_writes(Fault.NETWORK_POLICY_ONE_FAMILY)
def one_family(text: str) -> str:
    """Nobody is isolated in IPv6."""
    return re.sub(r"^ip6 [sd]addr vmap .*\n?", "", text, flags=re.MULTILINE)


@mis_writes(Fault.NETWORK_POLICY_KEEPS_NODE_OUT)
def keeps_node_out(text: str) -> str:
    """What the node itself sends to its pods is policed as well."""
    hook = "type filter hook output priority filter; policy accept;\nct state established,related accept"
    return text.replace("chain forward {", f"chain output {{\n{hook}\njump policies\n}}\nchain forward {{")


@mis_writes(Fault.NETWORK_POLICY_LETS_NODES_IN)
def lets_nodes_in(text: str) -> str:
    """Whoever comes from a node's address is let pass, masqueraded or not."""
    sources = {"ip": [node.ipv4 for node in _NODES], "ip6": [node.ipv6 for node in _NODES]}
    accepted = (f"{ip} saddr {{ {', '.join(addresses)} }} accept\n" for ip, addresses in sources.items())
    return text.replace("jump policies", f"{''.join(accepted)}jump policies")


@mis_writes(Fault.NETWORK_POLICY_PAST_SERVICES)
def past_services(text: str) -> str:
    """What was dialled at a Service is let pass where it was translated."""
    return text.replace("jump policies", "ct status dnat accept\njump policies")
