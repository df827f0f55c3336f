"""How a Deployment moves from old ReplicaSets to the new one (pure)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from conformance.lab.conditions import condition
from conformance.lab.controllers.templates import share

Json = dict[str, Any]

REVISION = "deployment.kubernetes.io/revision"


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a rollout may leave the wanted number of replicas."""

    wanted: int
    surge: int
    unavailable: int

    @classmethod
    def of(cls, deployment: Json) -> Bounds:
        """From the Deployment's strategy; ``Recreate`` is a rollout without surge in which all may be unavailable."""
        spec = deployment["spec"]
        wanted, strategy = int(spec.get("replicas", 1)), spec.get("strategy") or {}
        if strategy.get("type") == "Recreate":
            return cls(wanted, 0, wanted)
        rolling = strategy.get("rollingUpdate") or {}
        surge = share(rolling.get("maxSurge"), "25%", wanted, round_up=True)
        unavailable = share(rolling.get("maxUnavailable"), "25%", wanted, round_up=False)
        return cls(wanted, surge, min(wanted, unavailable) if surge or unavailable else 1)


def next_sizes(deployment: Json, new: Json, old: list[Json], *, old_pods: int = 0) -> dict[str, int]:
    """By name, the replicas to set now: one step, in which availability never falls below the bound.

    ``old_pods`` counts the pods of old sets that still exist: with ``Recreate`` the new set waits for them.
    """
    bounds = Bounds.of(deployment)
    recreate = (deployment["spec"].get("strategy") or {}).get("type") == "Recreate"
    if deployment["spec"].get("paused"):
        return _resized(new, bounds.wanted) if not any(_size(o) for o in old) else {}
    if recreate and (old_pods or any(_size(o) for o in old)):
        return {name: size for o in old for name, size in _resized(o, 0).items()}
    total = _size(new) + sum(map(_size, old))
    if _size(new) > bounds.wanted:
        return _resized(new, bounds.wanted)
    if _size(new) < bounds.wanted and (room := bounds.wanted + bounds.surge - total) > 0:
        return _resized(new, min(bounds.wanted, _size(new) + room))
    return _shrunk(bounds, new, old, total)


def complete(deployment: Json, status: Json) -> bool:
    """Whether nothing is left to do."""
    wanted = deployment["spec"].get("replicas", 1)
    return bool(status["updatedReplicas"] == status["replicas"] == status["availableReplicas"] == wanted)


def conditions(deployment: Json, status: Json, new: Json, at: str) -> list[Json]:
    """``Available`` and ``Progressing`` as ``kubectl rollout status`` and ``kubectl wait`` read them; ``at`` is now."""
    bounds, before = Bounds.of(deployment), deployment.get("status") or {}
    enough = status["availableReplicas"] >= bounds.wanted - bounds.unavailable
    available = (
        ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
        if enough
        else ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    )
    name, old = new["metadata"]["name"], condition(deployment, "Progressing")
    counts = ("updatedReplicas", "availableReplicas", "readyReplicas", "replicas")
    moved = any(before.get(c, 0) != status[c] for c in counts) or before.get("observedGeneration") != status.get(
        "observedGeneration"
    )
    if complete(deployment, status):
        progress = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    elif old and not moved and overdue(deployment, at) <= 0:
        progress = ("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    else:
        progress = ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    return [
        _condition(condition(deployment, "Available"), "Available", available, at, renew=False),
        _condition(old, "Progressing", progress, at, renew=moved),
    ]


def overdue(deployment: Json, at: str) -> float:
    """Seconds until the rollout counts as stuck; not positive when it does."""
    updated = condition(deployment, "Progressing").get("lastUpdateTime")
    allowed = float(deployment["spec"].get("progressDeadlineSeconds", 600))
    if not updated:
        return allowed
    return allowed - (datetime.fromisoformat(at) - datetime.fromisoformat(updated)).total_seconds()


def revision(replica_set: Json) -> int:
    """The revision number that the ReplicaSet carries, 0 when it has none."""
    return int((replica_set["metadata"].get("annotations") or {}).get(REVISION, "0"))


def _shrunk(bounds: Bounds, new: Json, old: list[Json], total: int) -> dict[str, int]:
    least = bounds.wanted - bounds.unavailable
    room = total - least - (_size(new) - _available(new))
    sizes = {o["metadata"]["name"]: _size(o) for o in old}
    # First those that serve nobody, then, as long as enough are available, those that do.
    for o in old:
        gone = min(room, _size(o) - min(_size(o), _available(o)))
        if gone > 0:
            sizes[o["metadata"]["name"]] -= gone
            room -= gone
    spare = min(room, _available(new) + sum(map(_available, old)) - least)
    for o in old:
        gone = min(spare, sizes[o["metadata"]["name"]])
        if gone > 0:
            sizes[o["metadata"]["name"]] -= gone
            spare -= gone
    return {
        o["metadata"]["name"]: sizes[o["metadata"]["name"]] for o in old if sizes[o["metadata"]["name"]] != _size(o)
    }


def _condition(old: Json, kind: str, state: tuple[str, str, str], at: str, *, renew: bool) -> Json:
    status, reason, message = state
    same = (old.get("status"), old.get("reason")) == (status, reason)
    return {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastUpdateTime": old.get("lastUpdateTime", at) if same and not renew else at,
        "lastTransitionTime": old.get("lastTransitionTime", at) if old.get("status") == status else at,
    }


def _resized(replica_set: Json, size: int) -> dict[str, int]:
    return {} if _size(replica_set) == size else {replica_set["metadata"]["name"]: size}


def _size(replica_set: Json) -> int:
    return int(replica_set["spec"].get("replicas", 1))


def _available(replica_set: Json) -> int:
    return int((replica_set.get("status") or {}).get("availableReplicas") or 0)
