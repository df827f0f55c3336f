"""The node's own settings that iptables mode reads and writes."""

from __future__ import annotations

import logging
from pathlib import Path

from conformance.errors import EnvironmentFault
from conformance.lab.proxy import netlink
from conformance.lab.proxy.iptables import names
from conformance.lab.proxy.iptables.tables import Host

_log = logging.getLogger(__name__)
_ROUTE_LOCALNET = Path("/proc/sys/net/ipv4/conf/all/route_localnet")
_LIBERAL = Path("/proc/sys/net/netfilter/nf_conntrack_tcp_be_liberal")


def find_out() -> Host:
    """What this network namespace's kernel does; makes kube-proxy's counters where it can."""
    counters = set()
    for name in (names.INVALID_DROPPED, names.LOOPBACK_ACCEPTED):
        try:
            netlink.ensure_counter(name)
            counters.add(name)
        except OSError as error:
            _log.warning("packets are not counted: nfacct %s: %s", name, error.strerror)
    liberal = _LIBERAL.exists() and _LIBERAL.read_text().strip() != "0"
    return Host(frozenset(counters), liberal, short=netlink.is_short())


def route_loopback() -> None:
    """Let packets to loopback addresses be routed, as node ports there need it; ``EnvironmentFault``."""
    try:
        _ROUTE_LOCALNET.write_text("1")
    except OSError as error:
        raise EnvironmentFault(
            f"{_ROUTE_LOCALNET} cannot be written: {error.strerror}.",
            "Let the proxy write it, or set iptables.localhostNodePorts to false.",
        ) from error
