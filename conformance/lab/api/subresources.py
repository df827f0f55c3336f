"""Subresources with an object of their own: scale, binding, eviction, token, finalize."""

from __future__ import annotations

import time
from typing import Any

from aiohttp.web import Response

from conformance.lab.api import patch, status
from conformance.lab.api.call import Call, respond
from conformance.lab.api.registry import DeleteOptions, Registry
from conformance.lab.api.resources import resource
from conformance.lab.api.status import FieldError
from conformance.lab.api.strategies.workloads import label_selector
from conformance.lab.api.tokens import ISSUER, Claims, TokenKey
from conformance.lab.timestamps import now

Json = dict[str, Any]

_SUCCESS: Json = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
_SHORTEST, _DEFAULT = 600, 3600
_PATCHES = ("application/merge-patch+json", "application/strategic-merge-patch+json")


class Subresources:
    """Handlers of the subresources that are no view of the object itself."""

    names = frozenset({"binding", "eviction", "finalize", "scale", "token"})

    def __init__(self, registry: Registry, key: TokenKey) -> None:
        self._registry = registry
        self._key = key

    async def answer(self, call: Call) -> Response:
        """The answer of one of ``names``."""
        match call.target.subresource:
            case "binding":
                body = await call.body()
                return self.bind(call, call.target.name, body)
            case "eviction":
                return await self._evict(call)
            case "finalize":
                return await self._finalize(call)
            case "scale":
                return await self._scale(call)
            case _:
                return await self._token(call)

    def bind(self, call: Call, name: str, binding: Json) -> Response:
        """Give a pod its node; 409 when it has one already."""
        pods = resource("", "pods")
        node = binding.get("target", {}).get("name", "")
        if not node:
            raise status.invalid(pods, name, [FieldError.required("target.name")])

        def change(pod: Json) -> Json:
            if "deletionTimestamp" in pod["metadata"]:
                raise status.conflict(pods, name, f"pod {name} is being deleted, cannot be assigned to a host")
            if pod["spec"].get("nodeName"):
                why = f'pod {name} is already assigned to node "{pod["spec"]["nodeName"]}"'
                raise status.StatusError(
                    409,
                    "Conflict",
                    f'Operation cannot be fulfilled on pods/binding "{name}": {why}',
                    {"name": name, "kind": "pods/binding"},
                )
            pod["spec"]["nodeName"] = node
            scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": now()}
            others = [each for each in pod["status"].get("conditions", []) if each["type"] != "PodScheduled"]
            pod["status"]["conditions"] = [*others, scheduled]
            return pod

        self._registry.modify(pods, call.namespace, name, change, part="binding", dry_run=call.dry_run)
        return respond(_SUCCESS, 201)

    async def _evict(self, call: Call) -> Response:
        options = (await call.body()).get("deleteOptions", {})
        wanted = DeleteOptions(call.dry_run, options.get("gracePeriodSeconds"))
        self._registry.delete(call.target.resource, call.namespace, call.target.name, wanted)
        return respond(_SUCCESS, 201)

    async def _finalize(self, call: Call) -> Response:
        wanted = await call.body()
        target = call.target
        version = wanted.get("metadata", {}).get("resourceVersion")

        def change(obj: Json) -> Json:
            if version and version != obj["metadata"]["resourceVersion"]:
                raise status.conflict(target.resource, target.name)
            obj["spec"] = wanted.get("spec", {})
            return obj

        stored = self._registry.modify(target.resource, "", target.name, change, part="finalize", dry_run=call.dry_run)
        return call.answer(stored)

    async def _scale(self, call: Call) -> Response:
        target = call.target
        if target.verb == "get":
            return respond(_scale_of(self._registry.get(target.resource, call.namespace, target.name).obj))
        value = await call.value()
        kind = call.request.content_type

        def change(obj: Json) -> Json:
            old = _scale_of(obj)
            if target.verb == "update":
                new = value
            elif kind == "application/json-patch+json":
                new = patch.json_patch(old, value)
            elif kind in _PATCHES:
                new = patch.merge_patch(old, value)
            else:
                raise status.unsupported_media_type(", ".join(_PATCHES))
            version = new.get("metadata", {}).get("resourceVersion")
            if version and version != obj["metadata"]["resourceVersion"]:
                raise status.conflict(target.resource, target.name)
            replicas = new.get("spec", {}).get("replicas", 0)
            if replicas < 0:
                why = FieldError.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
                raise status.invalid(target.resource, target.name, [why])
            obj["spec"]["replicas"] = replicas
            return obj

        stored = self._registry.modify(target.resource, call.namespace, target.name, change, dry_run=call.dry_run)
        return respond(_scale_of(stored.obj))

    async def _token(self, call: Call) -> Response:
        body = await call.body()
        target = call.target
        account = self._registry.get(target.resource, call.namespace, target.name).obj["metadata"]
        spec: Json = body.setdefault("spec", {})
        seconds = spec.setdefault("expirationSeconds", _DEFAULT)
        if seconds < _SHORTEST:
            why = "may not specify a duration less than 10 minutes"
            error = FieldError.invalid("spec.expirationSeconds", seconds, why)
            raise status.StatusError(
                422, "Invalid", f'TokenRequest.authentication.k8s.io "" is invalid: {error}', {"kind": "TokenRequest"}
            )
        audiences = spec.get("audiences") or [ISSUER]
        spec["audiences"] = audiences
        pod, pod_uid = "", ""
        bound = spec.get("boundObjectRef") or {}
        if bound.get("kind") == "Pod":
            found = self._registry.get(resource("", "pods"), call.namespace, bound["name"]).obj["metadata"]
            pod, pod_uid = found["name"], found["uid"]
        expires = time.time() + seconds
        claims = Claims(
            call.namespace, account["name"], account["uid"], expires, tuple(audiences), pod=pod, pod_uid=pod_uid
        )
        answer: Json = {
            "kind": "TokenRequest",
            "apiVersion": "authentication.k8s.io/v1",
            "metadata": {"name": account["name"], "namespace": call.namespace, "creationTimestamp": now()},
            "spec": spec,
            "status": {"token": self._key.sign(claims), "expirationTimestamp": now(seconds)},
        }
        return respond(answer, 201)


def _scale_of(obj: Json) -> Json:
    kept = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: obj["metadata"][field] for field in kept},
        "spec": {"replicas": obj["spec"].get("replicas", 0)},
        "status": {
            "replicas": obj.get("status", {}).get("replicas", 0),
            "selector": label_selector(obj["spec"].get("selector", {})),
        },
    }
