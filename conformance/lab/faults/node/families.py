"""Node ports that answer in a family that their Service does not have."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from conformance.lab.faults.node import watching
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.scene import Json, Scene
from conformance.spec.faults import Fault

_CHUNK = 65536
_OTHER = {"ip": "ip6", "ip6": "ip"}


@puts_in(Fault.FAMILY_UNASKED_SERVED)
@contextlib.asynccontextmanager
async def family_unasked_served(scene: Scene) -> AsyncIterator[None]:
    """A program on the node listens at the TCP node ports of the other family, and passes on what it gets."""
    primary = await watching.primary_addresses(scene)
    async with contextlib.AsyncExitStack() as stack:
        servers: dict[tuple[str, int], asyncio.Server] = {}

        async def follow(services: watching.Items) -> None:
            concerned = [s for name, s in services.items() if scene.switch.is_about(*name.split("/"))]
            wanted = {port for service in concerned for port in lone_ports(service)}
            for gone in servers.keys() - wanted:
                servers.pop(gone).close()
            for ip, port in wanted - servers.keys():
                with contextlib.suppress(OSError):  # somebody else has the port
                    server = await asyncio.start_server(_carrying(primary[ip], port), primary[_OTHER[ip]], port)
                    servers[ip, port] = server
                    stack.callback(server.close)

        await stack.enter_async_context(watching.following(watching.SERVICES, follow))
        yield


def lone_ports(service: Json) -> set[tuple[str, int]]:
    """The TCP node ports of a Service of one family, with nft's word for that family."""
    families, ports = service["spec"].get("ipFamilies") or [], service["spec"].get("ports") or []
    if len(families) != 1:
        return set()
    ip = "ip6" if families[0] == "IPv6" else "ip"
    return {(ip, p["nodePort"]) for p in ports if p.get("nodePort") and p.get("protocol", "TCP") == "TCP"}


def _carrying(address: str, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.closing(writer), contextlib.suppress(OSError):
            there, back = await asyncio.open_connection(address, port)
            with contextlib.closing(back):
                await asyncio.gather(_copy(reader, back), _copy(there, writer))

    return carry


async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    while chunk := await source.read(_CHUNK):
        target.write(chunk)
        await target.drain()
    target.write_eof()
