"""Somebody else answers at kube-proxy's own ports."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable

from aiohttp import web

from conformance.lab.faults.node import tables
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.node.watching import is_meant
from conformance.lab.faults.scene import Scene
from conformance.spec.faults import Fault

Handler = Callable[[web.Request], Awaitable[web.Response]]

_HEALTH_PORT, _METRICS_PORT = 10256, 10249
_BEFORE_DNAT = -101


@puts_in(Fault.PROXY_NOT_HEALTHY)
@contextlib.asynccontextmanager
async def proxy_not_healthy(scene: Scene) -> AsyncIterator[None]:
    """/healthz and /livez say 503."""

    async def ill(_: web.Request) -> web.Response:
        return web.json_response({"healthy": False, "nodeEligible": True}, status=503)

    async with impostor(ill) as port, tables.table(scene, redirecting({_HEALTH_PORT: port})):
        yield


@puts_in(Fault.PROXY_IN_ANOTHER_MODE)
@contextlib.asynccontextmanager
async def proxy_in_another_mode(scene: Scene) -> AsyncIterator[None]:
    """/proxyMode says iptables; where nobody says on which node, on the last one."""

    async def mode(_: web.Request) -> web.Response:
        return web.Response(text="iptables")

    if not await is_meant(scene):
        yield
        return
    async with impostor(mode) as port, tables.table(scene, redirecting({_METRICS_PORT: port})):
        yield


@contextlib.asynccontextmanager
async def impostor(handler: Handler) -> AsyncIterator[int]:
    """The port at which ``handler`` answers every request to this node, in both families."""
    application = web.Application()
    application.router.add_route("*", "/{anything:.*}", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        # Two sockets, because one for both families does not tell where an IPv4 connection was sent.
        first = socket.create_server(("0.0.0.0", 0), family=socket.AF_INET)
        port: int = first.getsockname()[1]
        second = socket.create_server(("::", port), family=socket.AF_INET6)
        for each in (first, second):
            await web.SockSite(runner, each).start()
        yield port
    finally:
        await runner.cleanup()


def redirecting(ports: dict[int, int]) -> str:
    """The chains that redirect connections to these ports of the node, except the node's own from loopback."""
    if not ports:
        return ""
    rules = (
        "ip saddr 127.0.0.0/8 ip daddr != 127.0.0.0/8 accept",
        "ip6 saddr ::1 ip6 daddr != ::1 accept",
        *(f"tcp dport {port} fib daddr type local redirect to :{own}" for port, own in sorted(ports.items())),
    )
    hooks = ("prerouting", "output")
    return "\n".join(tables.chain(hook, "nat", hook, _BEFORE_DNAT, *rules) for hook in hooks)
