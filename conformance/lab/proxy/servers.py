"""The proxy's HTTP servers: its own health, its metrics, and one healthCheckNodePort per Service that asks for it."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from conformance.lab.proxy.health import ProxyHealth, service_answer
from conformance.lab.proxy.metrics import Metrics
from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode

_log = logging.getLogger(__name__)
_RETRY_SECONDS = 5.0
_NO_SNIFFING = {"X-Content-Type-Options": "nosniff"}


class ServiceHealthServers:
    """Answers on every healthCheckNodePort of one family, at the addresses that take node ports."""

    def __init__(self, family: Family, health: ProxyHealth) -> None:
        self._family = family
        self._health = health
        self._local: dict[str, int] = {}
        self._running: dict[str, tuple[int, tuple[str, ...], web.ServerRunner]] = {}

    async def update(self, ports: Mapping[str, int], local: Mapping[str, int], addresses: Iterable[str]) -> None:
        """Listen on ``ports`` of ``addresses`` and answer with the numbers of ``local`` endpoints, both by Service."""
        self._local = dict(local)
        at = tuple(addresses)
        for service, (port, bound, runner) in list(self._running.items()):
            if ports.get(service) != port or bound != at:
                del self._running[service]
                await runner.cleanup()
        for service, port in ports.items():
            if service not in self._running:
                await self._open(service, port, at)

    async def close(self) -> None:
        """Stop listening."""
        await self.update({}, {}, ())

    async def _open(self, service: str, port: int, addresses: tuple[str, ...]) -> None:
        async def answer(_: web.BaseRequest) -> web.Response:
            namespace, name = service.split("/")
            local = self._local.get(service, 0)
            status, text = service_answer(namespace, name, local, self._health.healthy)
            weight = {"X-Load-Balancing-Endpoint-Weight": str(local)}
            return _json(status, text, _NO_SNIFFING | weight)

        # Hundreds of these come and go at once: one that answers whatever it is asked needs no routes.
        runner = web.ServerRunner(web.Server(answer, access_log=None), shutdown_timeout=0.1)
        await runner.setup()
        try:
            for address in addresses:
                await web.SockSite(runner, _listener(self._family, address, port)).start()
        except OSError as error:
            # Tried again with the next sync, as kube-proxy does: somebody else has the port now.
            _log.error("healthCheckNodePort %d of %s: %s", port, service, error.strerror)
            await runner.cleanup()
            return
        self._running[service] = (port, addresses, runner)


async def serve_health(address: str, health: ProxyHealth, metrics: Metrics) -> None:
    """``/healthz`` and ``/livez`` on ``address`` until cancelled."""

    async def healthz(_: web.Request) -> web.Response:
        status, text = health.healthz()
        metrics.healthz.labels(str(status)).inc()
        return _json(status, text, _NO_SNIFFING)

    async def livez(_: web.Request) -> web.Response:
        status, text = health.livez()
        metrics.livez.labels(str(status)).inc()
        return _json(status, text, _NO_SNIFFING)

    await _serve(address, {"/healthz": healthz, "/livez": livez})


async def serve_metrics(address: str, metrics: Metrics, mode: ProxyMode, document: Mapping[str, Any]) -> None:
    """``/metrics``, ``/proxyMode``, ``/healthz`` and ``/configz`` on ``address`` until cancelled."""

    async def show_metrics(_: web.Request) -> web.Response:
        return web.Response(body=metrics.text(), headers={"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})

    async def show_mode(_: web.Request) -> web.Response:
        return web.Response(text=mode.value, headers=_NO_SNIFFING)

    async def ok(_: web.Request) -> web.Response:
        return web.Response(text="ok", headers=_NO_SNIFFING)

    async def configz(_: web.Request) -> web.Response:
        return web.json_response({"kubeproxy.config.k8s.io": document})

    handlers = {"/metrics": show_metrics, "/proxyMode": show_mode, "/healthz": ok, "/configz": configz}
    await _serve(address, handlers)


async def _serve(address: str, handlers: Mapping[str, Any]) -> None:
    if not address:
        return
    host, _, port = address.rpartition(":")
    host = host.strip("[]")
    runner = await _runner(handlers)
    try:
        while True:
            try:
                await web.SockSite(runner, _any_listener(host, int(port))).start()
                break
            except OSError as error:
                _log.error("cannot listen on %s: %s", address, error.strerror)
                await asyncio.sleep(_RETRY_SECONDS)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def _runner(handlers: Mapping[str, Any]) -> web.AppRunner:
    application = web.Application()
    for path, handler in handlers.items():
        application.router.add_route("*", path, handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    return runner


def _json(status: int, text: str, headers: Mapping[str, str]) -> web.Response:
    # Not content_type=: Go's server sends no charset.
    return web.Response(status=status, body=text.encode(), headers={"Content-Type": "application/json", **headers})


def _any_listener(host: str, port: int) -> socket.socket:
    """A listener on ``host``; a wildcard of either family means both, as it does to Go."""
    if host not in ("", "0.0.0.0", "::"):
        return _listener(Family.of(host), host, port)
    if not socket.has_dualstack_ipv6():
        return _listener(Family.IPV4, "0.0.0.0", port)
    return socket.create_server(("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)


def _listener(family: Family, host: str, port: int) -> socket.socket:
    kind = socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
    return socket.create_server((host, port), family=kind, backlog=128)
