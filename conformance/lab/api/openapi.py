"""OpenAPI documents: enough for kubectl to see which requests take which parameters.

They carry no schemas: kubectl then validates on the server and merges with the types that it knows itself.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from conformance.lab.api.discovery import VERSION
from conformance.lab.api.resources import GROUP_VERSIONS, RESOURCES, Resource

Json = dict[str, Any]

_INFO = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
_METHODS = {"create": "post", "update": "put", "patch": "patch", "delete": "delete", "get": "get", "list": "get"}
_ACTIONS = {"create": "post", "update": "put"}


def index() -> Json:
    """``/openapi/v3``: where each group version's document is."""
    paths = {}
    for group, version in GROUP_VERSIONS:
        path = f"apis/{group}/{version}" if group else f"api/{version}"
        paths[path] = {"serverRelativeURL": f"/openapi/v3/{path}?hash=nftconform"}
    return {"paths": paths}


@cache
def document(group: str, version: str) -> Json | None:
    """``/openapi/v3/apis/G/V``, None for an unknown group version."""
    if (group, version) not in GROUP_VERSIONS:
        return None
    paths: Json = {}
    for each in RESOURCES:
        if (each.group, each.version) == (group, version):
            paths.update(_paths(each))
    return {"openapi": "3.0.0", "info": _INFO, "paths": paths, "components": {"schemas": {}}}


def swagger() -> Json:
    """``/openapi/v2``: an empty document."""
    return {"swagger": "2.0", "info": _INFO, "paths": {}, "definitions": {}}


def _paths(res: Resource) -> Json:
    base = f"/apis/{res.group}/{res.version}" if res.group else f"/api/{res.version}"
    scope = "/namespaces/{namespace}" if res.namespaced else ""
    collection = f"{base}{scope}/{res.plural}"
    many = [verb for verb in ("create", "list") if verb in res.verbs]
    one = [verb for verb in ("delete", "get", "patch", "update") if verb in res.verbs]
    paths = {}
    if many:
        paths[collection] = {_METHODS[verb]: _operation(res, verb) for verb in many}
    if one:
        paths[collection + "/{name}"] = {_METHODS[verb]: _operation(res, verb) for verb in one}
    return paths


def _operation(res: Resource, verb: str) -> Json:
    parameters = [_parameter("dryRun"), _parameter("pretty")]
    if verb in ("create", "patch", "update"):
        parameters += [_parameter("fieldManager"), _parameter("fieldValidation")]
    if verb == "patch":
        parameters.append({**_parameter("force"), "schema": {"type": "boolean"}})
    return {
        "parameters": parameters,
        "responses": {"200": {"description": "OK"}},
        "x-kubernetes-action": _ACTIONS.get(verb, verb),
        "x-kubernetes-group-version-kind": {"group": res.group, "version": res.version, "kind": res.kind},
    }


def _parameter(name: str) -> Json:
    return {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
