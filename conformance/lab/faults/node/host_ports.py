"""hostPorts: those of the pods that are on the node at the moment."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator
from ipaddress import ip_address
from typing import NamedTuple

from conformance.lab.faults.node import tables, watching
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.scene import Json, Scene
from conformance.spec.faults import Fault

_BEFORE_SERVICES, _AFTER_SERVICES = -101, -98
_FAMILIES = {4: "ip", 6: "ip6"}


class _Led(NamedTuple):
    """A hostPort and where it leads, in nft's words; ``to`` is without a port."""

    protocol: str
    number: int
    family: str
    to: str
    target: int

    @property
    def sent(self) -> str:
        """A match of what is sent to the number."""
        return f"meta nfproto {'ipv4' if self.family == 'ip' else 'ipv6'} {self.protocol} dport {self.number}"

    @property
    def goes_to_the_pod(self) -> str:
        """A statement."""
        to = f"[{self.to}]" if self.family == "ip6" else self.to
        return f"dnat {self.family} to {to}:{self.target}"


@puts_in(Fault.HOST_PORT_MISSING)
@contextlib.asynccontextmanager
async def host_port_missing(scene: Scene) -> AsyncIterator[None]:
    """Before anybody translates it."""
    async with _changing(scene, "filter", _BEFORE_SERVICES, lambda led: f"fib daddr type local {led.sent} drop"):
        yield


@puts_in(Fault.HOST_IP_IGNORED)
@contextlib.asynccontextmanager
async def host_ip_ignored(scene: Scene) -> AsyncIterator[None]:
    """After kube-proxy: only what nobody else wants."""
    async with _changing(scene, "nat", _AFTER_SERVICES, _at_the_node):
        yield


@puts_in(Fault.HOST_PORT_CAPTURES_SERVICES)
@contextlib.asynccontextmanager
async def host_port_captures_services(scene: Scene) -> AsyncIterator[None]:
    """As the portmap plugin did where its rules were not limited to local addresses."""
    async with _changing(scene, "nat", _BEFORE_SERVICES, lambda led: f"{led.sent} {led.goes_to_the_pod}"):
        yield


@puts_in(Fault.RESTART_FLIPS_HOST_PORT)
@contextlib.asynccontextmanager
async def restart_flips_host_port(scene: Scene) -> AsyncIterator[None]:
    """As a plugin whose chain comes after kube-proxy's until kube-proxy makes its own anew, behind it."""
    first: set[str] = set()

    def restarted(pods: watching.Items) -> bool:
        proxies = watching.uids(scene, pods, "kube-proxy")
        first.update(() if first else proxies)
        return not proxies <= first

    async with _changing(scene, "nat", _BEFORE_SERVICES, _at_the_node, restarted):
        yield


@contextlib.asynccontextmanager
async def _changing(
    scene: Scene,
    kind: str,
    priority: int,
    rule: Callable[[_Led], str],
    due: Callable[[watching.Items], bool] = lambda _: True,
) -> AsyncIterator[None]:
    """Have ``rule`` for each hostPort of this node's pods, where packets come in and where the node's own go out.

    But only while ``due`` says so of all pods.
    """

    async def follow(pods: watching.Items) -> None:
        known = pods.values() if due(pods) else ()
        mine = (pod for pod in known if pod["spec"].get("nodeName") == scene.node)
        rules = dict.fromkeys(rule(led) for pod in mine for led in _led(pod))
        hooks = (tables.chain(hook, kind, hook, priority, *rules) for hook in ("prerouting", "output"))
        await tables.fill(scene, "\n".join(hooks))

    async with tables.table(scene), watching.following(watching.PODS, follow):
        yield


def _at_the_node(led: _Led) -> str:
    return f"fib daddr type local {led.sent} {led.goes_to_the_pod}"


def _led(pod: Json) -> Iterator[_Led]:
    if pod["spec"].get("hostNetwork"):
        return
    addresses = [each["ip"] for each in (pod.get("status") or {}).get("podIPs") or ()]
    for container in pod["spec"]["containers"]:
        for port in container.get("ports") or ():
            for ip in addresses if port.get("hostPort") else ():
                family = _FAMILIES[ip_address(ip).version]
                protocol = port.get("protocol", "TCP").lower()
                yield _Led(protocol, port["hostPort"], family, ip, port["containerPort"])
