"""Whether a pod may run on a node, and on which it should (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.lab.conditions import ready
from conformance.lab.controllers.selectors import node_term

Json = dict[str, Any]

NOT_READY = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
UNSCHEDULABLE = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
_REPELLING = ("NoSchedule", "NoExecute")


def obstacle(spec: Json, node: Json) -> str:
    """Why a pod with ``spec`` may not be placed on ``node``, in the scheduler's words; empty when it may."""
    if not selected(spec, node):
        return "node(s) didn't match Pod's node affinity/selector"
    for taint in taints(node):
        if taint["effect"] in _REPELLING and not tolerated(taint, spec.get("tolerations") or ()):
            value = f": {taint['value']}" if taint.get("value") else ""
            return f"node(s) had untolerated taint {{{taint['key']}{value}}}"
    return ""


def may_stay(spec: Json, node: Json) -> bool:
    """Whether a pod that is on ``node`` already may stay: only ``NoExecute`` taints drive it away."""
    evicting = [taint for taint in taints(node) if taint["effect"] == "NoExecute"]
    return selected(spec, node) and all(tolerated(taint, spec.get("tolerations") or ()) for taint in evicting)


def selected(spec: Json, node: Json) -> bool:
    """Whether ``nodeSelector`` and the required node affinity take ``node``."""
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(k) != v for k, v in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    return required is None or any(node_term(term, node) for term in required["nodeSelectorTerms"])


def taints(node: Json) -> list[Json]:
    """The node's taints, and those that its condition amounts to whether or not somebody wrote them down."""
    spec = node.get("spec") or {}
    found = list(spec.get("taints") or ())
    if not ready(node):
        found.append(NOT_READY)
    if spec.get("unschedulable"):
        found.append(UNSCHEDULABLE)
    return found


def tolerated(taint: Json, tolerations: Iterable[Json]) -> bool:
    """Whether one of ``tolerations`` covers ``taint``."""
    for toleration in tolerations:
        if toleration.get("effect") not in (None, "", taint["effect"]):
            continue
        if toleration.get("operator") == "Exists":
            if toleration.get("key") in (None, "", taint["key"]):
                return True
        elif toleration.get("key") == taint["key"] and (toleration.get("value") or "") == (taint.get("value") or ""):
            return True
    return False


HostPort = tuple[str, str, int]
"""Address (0.0.0.0: every one), protocol, port."""

_EVERY_ADDRESS = "0.0.0.0"


def host_ports(spec: Json) -> set[HostPort]:
    """The node's ports that a pod with ``spec`` takes for as long as it runs."""
    staying = [one for one in spec.get("initContainers") or () if one.get("restartPolicy") == "Always"]
    return {
        (port.get("hostIP") or _EVERY_ADDRESS, port.get("protocol", "TCP"), port["hostPort"])
        for container in (*staying, *spec["containers"])
        for port in container.get("ports") or ()
        if port.get("hostPort")
    }


def collide(some: set[HostPort], others: set[HostPort]) -> bool:
    """Whether two pods with these ports cannot share a node (``HostPortInfo.CheckConflict`` of the scheduler)."""
    return any(
        one[1:] == other[1:] and (one[0] == other[0] or _EVERY_ADDRESS in (one[0], other[0]))
        for one in some
        for other in others
    )


def refusal(reasons: Iterable[str], nodes: int) -> str:
    """What the scheduler says of a pod that fits nowhere."""
    counts: dict[str, int] = {}
    for reason in reasons:
        counts[reason] = counts.get(reason, 0) + 1
    details = ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items()))
    return f"0/{nodes} nodes are available: {details}." if details else f"0/{nodes} nodes are available."
