"""Asking a probe's question: an exec, an HTTP GET or a TCP connection."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp

from conformance.lab.kubelet.probes import Probe, http_target, port_number

Json = dict[str, Any]
Exec = Callable[[list[str], float], Awaitable[int | None]]


async def ask(probe: Probe, container: Json, pod_ip: str, run: Exec) -> tuple[bool, str]:
    """Whether the probe succeeds now, and what was seen; ``run`` gives a command's exit code or None for a time-out."""
    action = probe.action
    try:
        async with asyncio.timeout(probe.timeout + (1 if "exec" in action else 0)):
            if "exec" in action:
                code = await run(list(action["exec"].get("command") or ()), probe.timeout)
                return code == 0, f"exit code {code}" if code is not None else f"no end within {probe.timeout:g}s"
            if "httpGet" in action:
                return await _http(action, container, pod_ip)
            host = action["tcpSocket"].get("host") or pod_ip
            port = port_number(action["tcpSocket"]["port"], container)
            _, writer = await asyncio.open_connection(host, port)
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()
            return True, "connected"
    except TimeoutError:
        return False, f"no answer within {probe.timeout:g}s"
    except (OSError, aiohttp.ClientError, ValueError) as error:
        return False, str(error) or error.__class__.__name__


async def _http(action: Json, container: Json, pod_ip: str) -> tuple[bool, str]:
    url, headers = http_target(action, container, pod_ip)
    connector = aiohttp.TCPConnector(ssl=False, force_close=True)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.get(url, headers=headers, allow_redirects=False) as answer,
    ):
        return 200 <= answer.status < 400, f"HTTP status {answer.status}"
