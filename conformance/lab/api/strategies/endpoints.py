"""EndpointSlices and Endpoints."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.status import FieldError
from conformance.lab.api.strategies.base import Strategy
from conformance.lab.api.validation import endpoints

Json = dict[str, Any]


class EndpointSliceStrategy(Strategy):
    """Slices count their generations."""

    generation = True

    def default(self, obj: Json) -> None:
        """Ports have a name and a protocol, if only "" and TCP."""
        for port in obj.get("ports") or []:
            port.setdefault("name", "")
            port.setdefault("protocol", "TCP")
        obj.setdefault("endpoints", [])
        obj.setdefault("ports", [])

    def validate(self, obj: Json) -> list[FieldError]:
        """Errors of a new slice."""
        return endpoints.slice_errors(obj, None)

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """Errors of a changed slice; its address type stays."""
        return endpoints.slice_errors(new, old)


class EndpointsStrategy(Strategy):
    """The older form."""

    create_on_update = True

    def default(self, obj: Json) -> None:
        """Ports have a protocol."""
        for subset in obj.get("subsets") or []:
            for port in subset.get("ports") or []:
                port.setdefault("protocol", "TCP")

    def validate(self, obj: Json) -> list[FieldError]:
        """Errors of addresses and ports."""
        return endpoints.endpoints_errors(obj)
