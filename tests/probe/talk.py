"""Talk with a dialling agent, without the driver."""

from __future__ import annotations

import json
import time
from typing import Any

from conformance.cluster.stream import LineStream
from conformance.model.observation import Dial
from conformance.probe.answers import dial_of


def results(stream: LineStream, requests: list[dict[str, Any]], seconds: float = 20.0) -> dict[str, dict[str, Any]]:
    """All results by id."""
    stream.send(json.dumps({"op": "dial", "requests": requests}))
    found: dict[str, dict[str, Any]] = {}
    deadline = time.monotonic() + seconds
    while len(found) < len(requests):
        assert time.monotonic() < deadline, f"{len(found)} of {len(requests)} results"
        message = json.loads(stream.receive(1.0) or "{}")
        if message.get("id") in {request["id"] for request in requests}:
            found[message["id"]] = message
    return found


def ends(result: dict[str, Any]) -> list[Dial]:
    return [dial_of(row) for row in result["dials"]]
