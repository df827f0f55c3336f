"""An API of four collections, list and watch only: what is written to its standard input is what it has.

A line is ``{"type": "ADDED" | "MODIFIED" | "DELETED", "path": collection, "object": {...}}``; it answers each with an
empty line. Everything else that is asked of it is refused.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from aiohttp import web

COLLECTIONS = {
    "/api/v1/services": "Service",
    "/api/v1/nodes": "Node",
    "/apis/discovery.k8s.io/v1/endpointslices": "EndpointSlice",
    "/apis/networking.k8s.io/v1/servicecidrs": "ServiceCIDR",
}

_items: dict[str, dict[str, Any]] = {path: {} for path in COLLECTIONS}
_watchers: dict[str, list[asyncio.Queue[dict[str, Any]]]] = {path: [] for path in COLLECTIONS}
_version = 1


def _key(item: dict[str, Any]) -> str:
    return f"{item['metadata'].get('namespace', '')}/{item['metadata']['name']}"


async def _handle(request: web.Request) -> web.StreamResponse:
    kind = COLLECTIONS.get(request.path)
    if kind is None or request.method != "GET":
        return web.json_response({"kind": "Status", "code": 404, "message": f"no {request.path}"}, status=404)
    if "watch" not in request.query:
        items = list(_items[request.path].values())
        return web.json_response(
            {"kind": f"{kind}List", "apiVersion": "v1", "metadata": {"resourceVersion": str(_version)}, "items": items}
        )
    response = web.StreamResponse(headers={"Content-Type": "application/json"})
    await response.prepare(request)
    queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    since = int(request.query["resourceVersion"])
    for item in _items[request.path].values():
        if int(item["metadata"]["resourceVersion"]) > since:
            queue.put_nowait({"type": "MODIFIED", "object": item})
    _watchers[request.path].append(queue)
    while True:
        await response.write(json.dumps(await queue.get()).encode() + b"\n")


def _take(event: dict[str, Any]) -> None:
    global _version  # noqa: PLW0603
    _version += 1
    item, path = event["object"], event["path"]
    item["metadata"]["resourceVersion"] = str(_version)
    item["metadata"].setdefault("uid", _key(item))
    if event["type"] == "DELETED":
        _items[path].pop(_key(item), None)
    else:
        _items[path][_key(item)] = item
    for queue in _watchers[path]:
        queue.put_nowait({"type": event["type"], "object": item})


async def main() -> None:
    """Serve on 127.0.0.1:6443 until the end of the input."""
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", _handle)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 6443).start()
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        _take(json.loads(line))
        print(flush=True)


if __name__ == "__main__":
    asyncio.run(main())
