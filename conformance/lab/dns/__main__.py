"""``python -m conformance.lab.dns``: cluster DNS as a program, with CoreDNS's health (8080) and readiness (8181)."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass

import dns.name
from aiohttp import web

from conformance.lab import commands, kubeconfig
from conformance.lab.client import ApiClient, Informer
from conformance.lab.dns.records import Zones
from conformance.lab.dns.resolver import respond
from conformance.lab.dns.server import Server
from conformance.lab.faults.answers.names import FaultyView
from conformance.lab.faults.answers.switches import Switches
from conformance.lab.faults.board import POD_FOLDER


@dataclass(frozen=True, slots=True)
class Options:
    """Where to serve what; port 0 switches an HTTP endpoint off."""

    listen: tuple[str, ...]
    port: int
    domain: str
    health_port: int
    ready_port: int


async def serve(client: ApiClient, options: Options) -> None:
    """Serve until cancelled."""
    view, zones = FaultyView(Switches(POD_FOLDER)), Zones(dns.name.from_text(options.domain))
    informers = [
        Informer(client, "/api/v1/namespaces", on_event=view.on_namespace),
        Informer(client, "/api/v1/services", on_event=view.on_service),
        Informer(client, "/apis/discovery.k8s.io/v1/endpointslices", on_event=view.on_slice),
    ]
    server = Server(lambda query: respond(view, zones, query))
    runners: list[web.AppRunner] = []
    listening = asyncio.Event()
    try:
        runners.append(await _http(options.listen, options.health_port, "/health", lambda: True))
        runners.append(await _http(options.listen, options.ready_port, "/ready", listening.is_set))
        async with asyncio.TaskGroup() as group:
            for informer in informers:
                group.create_task(informer.run())
            for informer in informers:
                await informer.synced.wait()
            # Only now: an answer from half a view would be a wrong NXDOMAIN, and those are remembered.
            for address in options.listen:
                await server.listen(address, options.port)
            listening.set()
            logging.getLogger(__name__).info("serving %s", options.domain)
    finally:
        server.close()
        for runner in runners:
            await runner.cleanup()


async def _http(addresses: tuple[str, ...], port: int, path: str, well: Callable[[], bool]) -> web.AppRunner:
    async def handle(_request: web.Request) -> web.Response:
        return web.Response(text="OK") if well() else web.Response(status=503, text="kubernetes")

    app = web.Application()
    app.router.add_get(path, handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    for address in addresses if port else ():
        await web.TCPSite(runner, address, port).start()
    return runner


def main() -> int:
    """The command."""
    parser = commands.parser("conformance.lab.dns", __doc__)
    parser.add_argument("--listen", default="0.0.0.0,::", help="addresses, separated by commas")
    parser.add_argument("--port", type=int, default=53)
    parser.add_argument("--domain", default="cluster.local")
    parser.add_argument("--health-port", type=int, default=8080, help="0: none")
    parser.add_argument("--ready-port", type=int, default=8181, help="0: none")
    arguments = parser.parse_args()
    options = Options(
        tuple(arguments.listen.split(",")),
        arguments.port,
        arguments.domain,
        arguments.health_port,
        arguments.ready_port,
    )

    async def work() -> None:
        async with ApiClient(kubeconfig.load(arguments.kubeconfig), "dns") as client:
            await serve(client, options)

    return commands.run(work, arguments.log_level)


if __name__ == "__main__":
    sys.exit(main())
