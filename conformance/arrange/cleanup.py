"""Everything that runs created, gone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from conformance.arrange.run import MANAGED_BY, MANAGER, RUN
from conformance.arrange.waits import GONE, converge
from conformance.cluster.api import Cluster
from conformance.cluster.paths import kind

FINALIZERS = "nftconform.io/"
"""What the kit's own finalizers begin with."""


def remove(cluster: Cluster, run_id: str, *, wait: bool = True) -> list[str]:
    """Delete the namespaces of a run and, unless told otherwise, wait until they are gone; their names. Idempotent."""
    return _delete(cluster, [n for n in namespaces(cluster) if n["metadata"]["labels"].get(RUN) == run_id], wait=wait)


def remove_older(cluster: Cluster, age: timedelta, *, wait: bool = True) -> list[str]:
    """Delete the namespaces of every run that is older than ``age``: what killed runners left; their names."""
    limit = datetime.now(UTC) - age
    old = [n for n in namespaces(cluster) if datetime.fromisoformat(n["metadata"]["creationTimestamp"]) <= limit]
    return _delete(cluster, old, wait=wait)


def namespaces(cluster: Cluster) -> list[dict[str, Any]]:
    """The namespaces of all runs."""
    return cluster.objects("Namespace", selector=f"{MANAGED_BY}={MANAGER},{RUN}")


def release(cluster: Cluster, service: dict[str, Any]) -> None:
    """Take the kit's own finalizers off a Service that was read; another's are never taken away."""
    metadata = service["metadata"]
    held = metadata.get("finalizers") or []
    others = [f for f in held if not f.startswith(FINALIZERS)]
    if others != held:
        path = kind("Service").path(metadata["namespace"], metadata["name"])
        cluster.patch(path, {"metadata": {"finalizers": others or None}})


def _delete(cluster: Cluster, found: list[dict[str, Any]], *, wait: bool) -> list[str]:
    names = [n["metadata"]["name"] for n in found]
    for name in names:
        cluster.delete(kind("Namespace").path(name=name))
        for service in cluster.objects("Service", name):
            release(cluster, service)
    if wait and names:
        converge(
            GONE,
            lambda: [n["metadata"]["name"] for n in namespaces(cluster)],
            lambda present: ", ".join(n for n in names if n in present),
        )
    return names
