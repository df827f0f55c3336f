"""healthCheckNodePorts: kube-proxy serves them itself, so they are taken on their way to it."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import aiohttp
from aiohttp import web

from conformance.lab.faults.node import tables, watching
from conformance.lab.faults.node.impostors import impostor, redirecting
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.scene import Json, Scene
from conformance.spec.faults import Fault

_BEFORE_DNAT, _FILTER = -101, 0
_SO_ORIGINAL_DST = 80
_OTHER_PROXY = "service.kubernetes.io/service-proxy-name"
_WEIGHT = "X-Load-Balancing-Endpoint-Weight"
_COPIED = ("Content-Type", "X-Content-Type-Options", _WEIGHT)

Ports = Mapping[int, str]
"""healthCheckNodePorts, and the Service that each belongs to, as ``namespace/name``."""


@dataclass(frozen=True)
class Answer:
    """What kube-proxy says of one Service."""

    status: int
    body: Json
    headers: Mapping[str, str]

    def counting(self, local: int) -> Answer:
        """The same answer with another number of local endpoints."""
        headers = {**self.headers, _WEIGHT: str(local)}
        return replace(self, status=200 if local else 503, body={**self.body, "localEndpoints": local}, headers=headers)


_FULL = Answer(200, {"localEndpoints": 1, "serviceProxyHealthy": True}, {_WEIGHT: "1"})
Twist = Callable[[Answer, str], Answer]


@puts_in(Fault.HEALTH_CHECK_NOT_SERVED)
@contextlib.asynccontextmanager
async def health_check_not_served(scene: Scene) -> AsyncIterator[None]:
    """Connections to them are reset, as if nobody listened."""

    def resetting(ports: Ports) -> str:
        rule = f"tcp dport {{ {_listed(ports)} }} reject with tcp reset"
        return tables.chain("input", "filter", "input", _FILTER, rule) if ports else ""

    async with _following(scene, resetting):
        yield


@puts_in(Fault.HEALTH_CHECK_ON_EVERY_ADDRESS)
@contextlib.asynccontextmanager
async def health_check_on_every_address(scene: Scene) -> AsyncIterator[None]:
    """What is sent to them at any of the node's addresses goes to its primary ones."""
    primary = await watching.primary_addresses(scene)

    def forwarding(ports: Ports) -> str:
        rules = [
            f"{ip} daddr != {to} fib daddr type local tcp dport {{ {_listed(ports)} }} dnat {ip} to {to}"
            for ip, to in primary.items()
        ]
        hooks = ("prerouting", "output")
        return "\n".join(tables.chain(hook, "nat", hook, _BEFORE_DNAT, *rules) for hook in hooks) if ports else ""

    async with _following(scene, forwarding):
        yield


@puts_in(Fault.HEALTH_CHECK_WRONG_COUNT)
@contextlib.asynccontextmanager
async def health_check_wrong_count(scene: Scene) -> AsyncIterator[None]:
    """One more than there are."""
    async with _twisting(scene, lambda answer, _: answer.counting(answer.body["localEndpoints"] + 1)):
        yield


@puts_in(Fault.HEALTH_CHECK_INCOMPLETE)
@contextlib.asynccontextmanager
async def health_check_incomplete(scene: Scene) -> AsyncIterator[None]:
    """The bare number."""
    bare = ("localEndpoints",)

    def strip(answer: Answer, _: str) -> Answer:
        return replace(answer, body={k: v for k, v in answer.body.items() if k in bare}, headers={})

    async with _twisting(scene, strip):
        yield


@puts_in(Fault.HEALTH_CHECK_COUNTS_TERMINATING)
@contextlib.asynccontextmanager
async def health_check_counts_terminating(scene: Scene) -> AsyncIterator[None]:
    """Endpoints that serve while they terminate are counted as well."""
    slices: dict[str, Json] = {}

    async def follow(items: watching.Items) -> None:
        slices.clear()
        slices.update(items)

    def more(answer: Answer, service: str) -> Answer:
        return answer.counting(answer.body["localEndpoints"] + draining(slices.values(), service, scene.node))

    async with watching.following(watching.SLICES, follow), _twisting(scene, more):
        yield


@puts_in(Fault.HEALTH_CHECK_STAYS)
@contextlib.asynccontextmanager
async def health_check_stays(scene: Scene) -> AsyncIterator[None]:
    """A port that was one once is answered for ever."""
    known: dict[int, str] = {}

    def remember(ports: Ports, own: int) -> str:
        known.update(ports)
        return redirecting({port: own for port in known if port not in ports})

    async with _twisting(scene, lambda answer, _: answer, remember):
        yield


def served(service: Json) -> int:
    """The port at which kube-proxy tells of ``service``; 0 where it does not."""
    foreign = _OTHER_PROXY in (service["metadata"].get("labels") or {})
    return 0 if foreign else service["spec"].get("healthCheckNodePort") or 0


def draining(slices: Iterable[Json], service: str, node: str) -> int:
    """How many endpoints of ``service`` serve on ``node`` while they terminate: in one family, for both tell them."""
    counted: dict[str, set[str]] = {}
    for one in slices:
        owner = (one["metadata"].get("labels") or {}).get("kubernetes.io/service-name")
        if f"{one['metadata']['namespace']}/{owner}" != service:
            continue
        for endpoint in one.get("endpoints") or ():
            conditions = endpoint.get("conditions") or {}
            if endpoint.get("nodeName") == node and conditions.get("terminating") and conditions.get("serving"):
                counted.setdefault(one["addressType"], set()).update(endpoint["addresses"])
    return max(map(len, counted.values()), default=0)


def _listed(ports: Ports) -> str:
    return ", ".join(map(str, sorted(ports)))


@contextlib.asynccontextmanager
async def _following(scene: Scene, render: Callable[[Ports], str]) -> AsyncIterator[Ports]:
    """The ports as they come and go; the table holds what ``render`` makes of them."""
    ports: dict[int, str] = {}

    async def follow(services: watching.Items) -> None:
        found = {
            port: name
            for name, service in services.items()
            if (port := served(service)) and scene.switch.is_about(*name.split("/"))
        }
        if found != ports:
            ports.clear()
            ports.update(found)
            await tables.fill(scene, render(found))

    async with tables.table(scene), watching.following(watching.SERVICES, follow):
        yield ports


def _redirect_all(ports: Ports, own: int) -> str:
    return redirecting(dict.fromkeys(ports, own))


@contextlib.asynccontextmanager
async def _twisting(
    scene: Scene, twist: Twist, render: Callable[[Ports, int], str] = _redirect_all
) -> AsyncIterator[None]:
    """Every answer of kube-proxy's goes through ``twist``; where it has none to give, all is said to be well."""
    # From loopback: that is what the table lets through.
    connectors = {
        socket.AF_INET: aiohttp.TCPConnector(local_addr=("127.0.0.1", 0), force_close=True),
        socket.AF_INET6: aiohttp.TCPConnector(local_addr=("::1", 0), force_close=True),
    }
    async with contextlib.AsyncExitStack() as stack:
        sessions = {
            family: await stack.enter_async_context(aiohttp.ClientSession(connector=connector))
            for family, connector in connectors.items()
        }

        async def answer(request: web.Request) -> web.Response:
            assert request.transport is not None
            family, address, port = _sent_to(request.transport.get_extra_info("socket"))
            host = f"[{address}]" if family is socket.AF_INET6 else address
            given = await _asked(sessions[family], f"http://{host}:{port}/") if port in ports else _FULL
            said = twist(given, ports.get(port, ""))
            return web.Response(status=said.status, body=json.dumps(said.body).encode(), headers=said.headers)

        own = await stack.enter_async_context(impostor(answer))
        ports = await stack.enter_async_context(_following(scene, lambda ports: render(ports, own)))
        yield


async def _asked(session: aiohttp.ClientSession, url: str) -> Answer:
    try:
        async with session.get(url) as response:
            headers = {name: response.headers[name] for name in _COPIED if name in response.headers}
            return Answer(response.status, await response.json(content_type=None), headers)
    except aiohttp.ClientConnectionError:
        return _FULL


def _sent_to(connection: socket.socket) -> tuple[socket.AddressFamily, str, int]:
    """Where the client sent what was redirected to ``connection``."""
    if connection.family == socket.AF_INET:
        port, packed = struct.unpack("!2xH4s8x", connection.getsockopt(socket.SOL_IP, _SO_ORIGINAL_DST, 16))
        return socket.AF_INET, socket.inet_ntop(socket.AF_INET, packed), port
    raw = connection.getsockopt(socket.IPPROTO_IPV6, _SO_ORIGINAL_DST, 28)
    port, packed = struct.unpack("!2xH4x16s4x", raw)
    return socket.AF_INET6, socket.inet_ntop(socket.AF_INET6, packed), port
