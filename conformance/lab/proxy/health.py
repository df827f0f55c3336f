"""Whether the proxy keeps up, and what it tells load balancers: the state behind its health servers."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from conformance.model.addresses import Family

_AUTOSCALER_TAINT = "ToBeDeletedByClusterAutoscaler"


class ProxyHealth:
    """Healthy as long as no change waits longer than ``timeout`` seconds (twice the sync period) for its sync."""

    def __init__(self, timeout: float, clock: Callable[[], float] = time.time) -> None:
        self._timeout = timeout
        self._clock = clock
        self._updated: dict[Family, float] = {}
        self._waiting_since: dict[Family, float] = {}
        self.node: Mapping[str, Any] | None = None

    def queued(self, family: Family) -> None:
        """A change has arrived."""
        self._waiting_since.setdefault(family, self._clock())

    def updated(self, family: Family) -> None:
        """The rules are what they should be."""
        self._waiting_since.pop(family, None)
        self._updated[family] = self._clock()

    @property
    def healthy(self) -> bool:
        """Whether every family keeps up."""
        return all(self._keeps_up(f) for f in self._updated)

    @property
    def node_eligible(self) -> bool:
        """Whether load balancers may send new connections here: not while the node goes away (KEP-3836)."""
        if self.node is None or self.node["metadata"].get("deletionTimestamp"):
            return False
        taints = (self.node.get("spec") or {}).get("taints") or ()
        return all(taint.get("key") != _AUTOSCALER_TAINT for taint in taints)

    def healthz(self) -> tuple[int, str]:
        """Status and body of ``/healthz``."""
        return self._answer(self.healthy and self.node_eligible, {"nodeEligible": self.node_eligible})

    def livez(self) -> tuple[int, str]:
        """Status and body of ``/livez``: the node's fate is no reason to restart the proxy."""
        return self._answer(self.healthy, {})

    def _keeps_up(self, family: Family) -> bool:
        since = self._waiting_since.get(family)
        return since is None or self._clock() - since < self._timeout

    def _answer(self, good: bool, more: dict[str, bool]) -> tuple[int, str]:
        now = self._clock()
        last = now if good else max(self._updated.values(), default=0.0)
        status = {
            f.value: {"lastUpdated": _rfc3339(at), "healthy": self._keeps_up(f)}
            for f, at in sorted(self._updated.items(), key=lambda item: item[0].value)
        }
        body = {"lastUpdated": _rfc3339(last), "currentTime": _rfc3339(now), **more, "healthy": self.healthy}
        if status:
            body["status"] = status
        return 200 if good else 503, json.dumps(body, separators=(",", ":"))


def service_answer(namespace: str, name: str, local_endpoints: int, healthy: bool) -> tuple[int, str]:
    """Status and body of a healthCheckNodePort: 200 only where the Service has local ready endpoints."""
    body = {
        "service": {"namespace": namespace, "name": name},
        "localEndpoints": local_endpoints,
        "serviceProxyHealthy": healthy,
    }
    return 200 if local_endpoints and healthy else 503, json.dumps(body, indent="\t")


def _rfc3339(seconds: float) -> str:
    if not seconds:
        return "0001-01-01T00:00:00Z"
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
