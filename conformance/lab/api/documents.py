"""Answers that are no objects: discovery, version, health."""

from __future__ import annotations

from aiohttp.web import BaseRequest, Response

from conformance.lab.api import discovery, openapi, status
from conformance.lab.api.call import respond
from conformance.lab.api.store import dumps
from conformance.lab.api.target import PlainPath

_HEALTH = ("/healthz", "/livez", "/readyz")


class Documents:
    """The handler of every path that names no resource."""

    def __init__(self, address: str) -> None:
        self._address = address

    def answer(self, request: BaseRequest, target: PlainPath) -> Response:
        """The document at a path; 404 where there is none."""
        if target.verb not in ("get", "head"):
            raise status.method_not_allowed()
        parts = [part for part in target.path.split("/") if part]
        path = "/" + "/".join(parts)
        if path.startswith(_HEALTH):
            return _health(parts, verbose="verbose" in request.query)
        aggregated = (
            "as=APIGroupDiscoveryList" in request.headers.get("Accept", "") and "v=v2" in request.headers["Accept"]
        )
        match parts:
            case ["version"]:
                return respond(discovery.VERSION)
            case []:
                return respond({"paths": ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/readyz", "/version"]})
            case ["api" | "apis" as kind] if aggregated:
                document = discovery.aggregated(core=kind == "api")
                return Response(body=dumps(document), headers={"Content-Type": discovery.AGGREGATED})
            case ["api"]:
                return respond(discovery.core_versions(self._address))
            case ["apis"]:
                return respond(discovery.group_list())
            case ["openapi", "v2"]:
                return respond(openapi.swagger())
            case ["openapi", "v3"]:
                return respond(openapi.index())
            case ["openapi", "v3", "api", version]:
                found = openapi.document("", version)
            case ["openapi", "v3", "apis", name, version]:
                found = openapi.document(name, version)
            case ["api", version]:
                found = discovery.resource_list("", version)
            case ["apis", name]:
                found = discovery.group(name)
            case ["apis", name, version]:
                found = discovery.resource_list(name, version)
            case _:
                found = None
        if found is None:
            raise status.no_such_path()
        return respond(found)


def _health(parts: list[str], *, verbose: bool) -> Response:
    if len(parts) > 1 and parts[1] not in ("ping", "etcd", "log"):
        raise status.no_such_path()
    text = f"[+]ping ok\n[+]log ok\n[+]etcd ok\n{parts[0]} check passed\n" if verbose else "ok"
    return Response(text=text, headers={"Cache-Control": "no-cache, private", "X-Content-Type-Options": "nosniff"})
