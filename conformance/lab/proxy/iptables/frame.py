"""The rules that no Service changes: masquerading, forwarding, node ports, and the jumps from iptables' own chains."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.lab.proxy.iptables import names
from conformance.lab.proxy.iptables.tables import Frame, Host, Rule
from conformance.lab.proxy.place import Place
from conformance.model.addresses import Family

_LAST = "kubernetes service nodeports; NOTE: this must be the last rule in this chain"


@dataclass(frozen=True, slots=True)
class Jump:
    """A rule in ``source``, a chain of iptables' own, that leads to ``chain``."""

    table: str
    chain: str
    source: str
    comment: str = ""
    new: bool = False

    @property
    def text(self) -> str:
        """The rule behind its chain, as iptables takes and shows it."""
        state = "-m conntrack --ctstate NEW " if self.new else ""
        comment = f'-m comment --comment "{self.comment}" ' if self.comment else ""
        return f"{state}{comment}-j {self.chain}"


_PORTALS, _EXTERNAL = "kubernetes service portals", "kubernetes externally-visible service portals"
_FIREWALL = "kubernetes load balancer firewall"

JUMPS = (
    Jump("filter", names.EXTERNAL_SERVICES, "INPUT", _EXTERNAL, new=True),
    Jump("filter", names.EXTERNAL_SERVICES, "FORWARD", _EXTERNAL, new=True),
    Jump("filter", names.NODE_PORTS, "INPUT", "kubernetes health check service ports"),
    Jump("filter", names.SERVICES, "FORWARD", _PORTALS, new=True),
    Jump("filter", names.SERVICES, "OUTPUT", _PORTALS, new=True),
    Jump("filter", names.FORWARD, "FORWARD", "kubernetes forwarding rules"),
    Jump("filter", names.PROXY_FIREWALL, "INPUT", _FIREWALL, new=True),
    Jump("filter", names.PROXY_FIREWALL, "OUTPUT", _FIREWALL, new=True),
    Jump("filter", names.PROXY_FIREWALL, "FORWARD", _FIREWALL, new=True),
    Jump("nat", names.SERVICES, "OUTPUT", _PORTALS),
    Jump("nat", names.SERVICES, "PREROUTING", _PORTALS),
    Jump("nat", names.POSTROUTING, "POSTROUTING", "kubernetes postrouting rules"),
)
"""In the order in which each is put first in its chain."""

KUBELET_JUMPS = (
    Jump("filter", names.KUBELET_FIREWALL, "INPUT"),
    Jump("filter", names.KUBELET_FIREWALL, "OUTPUT"),
)


def frame(place: Place, host: Host) -> Frame:
    """The chains at ``place`` without any Service."""
    kept = {
        names.SERVICES: (),
        names.EXTERNAL_SERVICES: (),
        names.FORWARD: _forward(place, host),
        names.NODE_PORTS: (),
        names.PROXY_FIREWALL: (),
    }
    if place.loopback_node_ports:
        # With route_localnet, neighbours could reach what listens on loopback addresses only.
        martian = (
            "-d 127.0.0.0/8 ! -s 127.0.0.0/8 -m conntrack ! --ctstate RELATED,ESTABLISHED,DNAT -j DROP",
            "block incoming localnet connections",
        )
        kept[names.KUBELET_FIREWALL] = (Rule(*martian),)
    return Frame(
        kept,
        {
            names.SERVICES: _node_ports(place),
            names.NODE_PORTS: (),
            names.POSTROUTING: (
                Rule(f"-m mark ! --mark {place.mark}/{place.mark} -j RETURN"),
                # The mark is taken off, so that a packet that a tunnel wraps is not masqueraded twice.
                Rule(f"-j MARK --xor-mark {place.mark}"),
                Rule("-j MASQUERADE --random-fully", "kubernetes service traffic requiring SNAT"),
            ),
            names.MARK_MASQ: (Rule(f"-j MARK --or-mark {place.mark}"),),
        },
    )


def _forward(place: Place, host: Host) -> tuple[Rule, ...]:
    counted = f"-m nfacct --nfacct-name {names.INVALID_DROPPED} " if names.INVALID_DROPPED in host.counters else ""
    invalid = () if host.liberal else (Rule(f"-m conntrack --ctstate INVALID {counted}-j DROP"),)
    return (
        *invalid,
        Rule(f"-m mark --mark {place.mark}/{place.mark} -j ACCEPT", "kubernetes forwarding rules"),
        Rule("-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT", "kubernetes forwarding conntrack rule"),
    )


def _node_ports(place: Place) -> tuple[Rule, ...]:
    if place.node_port_ips is not None:
        return tuple(Rule(f"-d {ip} -j {names.NODE_PORTS}", _LAST) for ip in place.node_port_ips)
    loopback = "::1/128" if place.family is Family.IPV6 else "" if place.loopback_node_ports else "127.0.0.0/8"
    but = f"! -d {loopback} " if loopback else ""
    return (Rule(f"-m addrtype --dst-type LOCAL {but}-j {names.NODE_PORTS}", _LAST),)
