"""Pods from pod templates, and what tells two templates apart (pure)."""

from __future__ import annotations

import copy
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

from conformance.lab.conditions import condition
from conformance.lab.controllers import pods as podlib
from conformance.lab.controllers.cluster import Resource, reference_to

Json = dict[str, Any]

_SAFE = "bcdfghjklmnpqrstvwxz2456789"  # no vowels, no look-alikes: as Kubernetes spells hashes in names


def fingerprint(template: Json) -> str:
    """Ten letters that differ when templates do."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).digest()
    return "".join(_SAFE[byte % len(_SAFE)] for byte in digest[:10])


def pod_from(template: Json, owner: Json, resource: Resource) -> Json:
    """A new pod of ``template``, controlled by ``owner``."""
    meta = copy.deepcopy(template.get("metadata") or {})
    kept = {k: meta[k] for k in ("labels", "annotations", "finalizers") if meta.get(k)}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            **kept,
            "generateName": f"{owner['metadata']['name']}-",
            "namespace": owner["metadata"]["namespace"],
            "ownerReferences": [reference_to(owner, resource)],
        },
        "spec": copy.deepcopy(template["spec"]),
    }


def active(pod: Json) -> bool:
    """Whether the pod still counts as a replica."""
    return not podlib.terminal(pod) and not podlib.terminating(pod)


def available_in(pod: Json, min_ready_seconds: int, at: datetime | None = None) -> float | None:
    """Seconds until the pod counts as available (0: it is), or None while it is not ready."""
    ready = condition(pod, "Ready")
    if ready.get("status") != "True" or podlib.terminating(pod):
        return None
    since = ready.get("lastTransitionTime")
    if not min_ready_seconds or not since:
        return 0.0
    ready_for = ((at or datetime.now(UTC)) - datetime.fromisoformat(since)).total_seconds()
    return max(0.0, min_ready_seconds - ready_for)


def share(value: int | str | None, default: int | str, whole: int, *, round_up: bool) -> int:
    """An ``IntOrString`` such as ``25%`` or ``1`` of ``whole``."""
    amount = default if value is None else value
    if isinstance(amount, int):
        return amount
    percent = int(amount.removesuffix("%"))
    return -(-whole * percent // 100) if round_up else whole * percent // 100
