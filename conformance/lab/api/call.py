"""One request on its way through the server, and how bodies are read and answered."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import yaml
from aiohttp.web import BaseRequest, Response

from conformance.lab.api import protobuf, shapes
from conformance.lab.api.authn import User
from conformance.lab.api.jsons import clean
from conformance.lab.api.registry import DeleteOptions
from conformance.lab.api.rendering import Rendering, choose
from conformance.lab.api.status import StatusError, bad_request, unsupported_media_type
from conformance.lab.api.store import Stored, dumps
from conformance.lab.api.target import Target

Json = dict[str, Any]

_YAML = ("application/yaml", "application/apply-patch+yaml")
_HEADERS = {"Cache-Control": "no-cache, private"}
ENDPOINTS_WARNING = '299 - "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"'


@dataclass(frozen=True, slots=True)
class Call:
    """A request for a resource, by an authenticated user."""

    request: BaseRequest
    target: Target
    user: User
    rendering: Rendering = field(init=False)
    warnings: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        rendering = choose(self.target.resource, self.request.headers.get("Accept", ""))
        object.__setattr__(self, "rendering", rendering)

    @property
    def query(self) -> dict[str, str]:
        """The query's parameters; of a repeated one the first."""
        return dict(reversed(list(self.request.query.items())))

    @property
    def namespace(self) -> str:
        """The namespace for the store: "" for cluster scope."""
        return (self.target.namespace or "") if self.target.resource.namespaced else ""

    @property
    def dry_run(self) -> bool:
        """The request must leave nothing behind; 422 for values other than All."""
        value = self.request.query.get("dryRun", "")
        if value not in ("", "All"):
            raise StatusError(
                422, "Invalid", f' "" is invalid: dryRun: Unsupported value: "{value}": supported values: "All"'
            )
        return value == "All"

    async def value(self) -> Any:  # noqa: ANN401  patches may be lists
        """The body, from JSON or YAML; 400 where it is neither, 415 for other media types."""
        kind = self.request.content_type
        data = await self.request.read()
        if kind == protobuf.MEDIA_TYPE:
            return protobuf.decode(data)
        if "cbor" in kind:
            raise unsupported_media_type("application/json, application/yaml")
        try:
            return yaml.safe_load(data) if kind in _YAML else json.loads(data)
        except (ValueError, yaml.YAMLError) as error:
            raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error

    async def body(self) -> Json:
        """The object in the body, without nulls."""
        value = clean(await self.value())
        if not isinstance(value, dict):
            raise bad_request("the body of the request is no object")
        return value

    def shaped(self, obj: Json) -> Json:
        """The object without fields that its kind does not have; 400 for wrong types, and for such fields if asked."""
        resource = self.target.resource
        unknown = shapes.check(resource, obj)
        asked = self.request.query.get("fieldValidation", "Warn")
        if unknown and asked == "Strict":
            told = ", ".join(f'unknown field "{each}"' for each in unknown)
            raise bad_request(shapes.unfit(resource, f"strict decoding error: {told}"))
        if asked == "Warn":
            self.warnings.extend(f'unknown field "{each}"' for each in unknown)
        return obj

    async def delete_options(self) -> DeleteOptions:
        """``DeleteOptions`` from the body and the query."""
        data = await self.request.read()
        body: Json = (await self.body()) if data.strip() else {}
        preconditions = body.get("preconditions", {})
        query = self.query
        grace = query.get("gracePeriodSeconds", body.get("gracePeriodSeconds"))
        propagation = query.get("propagationPolicy", body.get("propagationPolicy"))
        if query.get("orphanDependents", str(body.get("orphanDependents", ""))).lower() == "true":
            propagation = "Orphan"
        return DeleteOptions(
            self.dry_run or "All" in body.get("dryRun", []),
            None if grace is None else int(grace),
            propagation,
            preconditions.get("uid"),
            preconditions.get("resourceVersion"),
        )

    def answer(self, stored: Stored, code: int = 200) -> Response:
        """An object, as the client asked to see it."""
        response = respond(self.rendering.one(stored), code, warn=self.target.resource.plural == "endpoints")
        for each in self.warnings:
            response.headers.add("Warning", f"299 - {json.dumps(each)}")
        return response


def respond(body: bytes | Json, code: int = 200, *, warn: bool = False) -> Response:
    """A JSON answer."""
    data = body if isinstance(body, bytes) else dumps(body)
    headers = {**_HEADERS, "Warning": ENDPOINTS_WARNING} if warn else _HEADERS
    return Response(body=data, status=code, content_type="application/json", headers=headers)


def failure(error: StatusError) -> Response:
    """The answer to a request that failed."""
    return respond(error.body(), error.code)
