"""Rules that match something else (pure)."""

from __future__ import annotations

import re

from conformance.lab.faults.policy.registry import mis_writes
from conformance.spec.faults import Fault

_PORT = re.compile(r"\b(tcp|udp|sctp) dport (\S+)")
_EGRESS_PEER = re.compile(r"^(ip6?) daddr (\{.*\} (?:ip6? daddr != \S+ )*)", re.MULTILINE)


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
