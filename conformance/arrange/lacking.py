"""What a look at the cluster lacks, as a phrase; empty when it lacks nothing. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from conformance.model.manifest import BY_HAND

JSON = dict[str, Any]
SHOWN = 5


def pods(
    names: Iterable[str], seen: Iterable[JSON], *, never_ready: Collection[str] = (), failed: Collection[str] = ()
) -> str:
    """Which of the pods are not Ready, and why as far as their status says.

    Of ``never_ready`` they need but run; of ``failed`` they are to have ended.
    """
    by_name = {p["metadata"]["name"]: p for p in seen}

    def why(name: str) -> str:
        if name in failed:
            return _not_failed(by_name.get(name))
        return (_not_running if name in never_ready else _unready)(by_name.get(name))

    return _listed(f"{name} {phrase}" for name in names if (phrase := why(name)))


def warning(events: Iterable[JSON]) -> str:
    """The last warning about a pod, as a sentence that follows another; empty when there is none."""
    said = [e for e in events if e.get("type") == "Warning" and e.get("involvedObject", {}).get("kind") == "Pod"]
    if not said:
        return ""
    last = max(said, key=lambda e: e.get("lastTimestamp") or e.get("eventTime") or "")
    words = f"{last['involvedObject'].get('name', '?')}: {last.get('reason', '')}: {last.get('message', '')}"
    return f" The last event says of {words[:300].rstrip('. ')}."


def endpoints(expected: Mapping[str, frozenset[str]], services: Iterable[JSON], slices: Iterable[JSON]) -> str:
    """Which Services' slices do not hold exactly the expected pods, ready, in each of the Service's families."""
    found = _ready(slices)
    families = {s["metadata"]["name"]: s["spec"].get("ipFamilies") or [] for s in services}
    missing = [f"Service {name} does not exist" for name in expected if name not in families]
    return _listed(missing) or _listed(
        f"{name} ({family}) has {sorted(found.get((name, family), set())) or 'none'}, not {sorted(wanted) or 'none'}"
        for name, wanted in expected.items()
        for family in families.get(name, [])
        if found.get((name, family), set()) != wanted
    )


def any_of(wanted: frozenset[str], service: JSON, slices: Iterable[JSON]) -> str:
    """In which of its families the Service has none of the wanted pods, ready; nothing where none is wanted."""
    name, found = service["metadata"]["name"], _ready(slices)
    return _listed(
        f"{name} ({family}) has none of {sorted(wanted)}"
        for family in service["spec"].get("ipFamilies") or []
        if wanted and not wanted & found.get((name, family), set())
    )


def _ready(slices: Iterable[JSON]) -> dict[tuple[str, str], set[str]]:
    """The pods that are ready, by Service and family."""
    found: dict[tuple[str, str], set[str]] = {}
    for one in slices:
        service = one["metadata"].get("labels", {}).get("kubernetes.io/service-name", "")
        for end in one.get("endpoints") or []:
            if (end.get("conditions") or {}).get("ready") is not False:
                pod = (end.get("targetRef") or {}).get("name", "?")
                found.setdefault((service, one["addressType"]), set()).add(pod)
    return found


def ingresses(services: Iterable[JSON]) -> str:
    """Which Services of type LoadBalancer have no address from a controller yet."""
    return _listed(
        s["metadata"]["name"]
        for s in services
        if s["spec"].get("type") == "LoadBalancer"
        and s["spec"].get("loadBalancerClass") != BY_HAND
        and not s.get("status", {}).get("loadBalancer", {}).get("ingress")
    )


def _unready(pod: JSON | None) -> str:
    if pod is None:
        return "does not exist"
    status = pod.get("status", {})
    conditions = {c["type"]: c for c in status.get("conditions") or []}
    if conditions.get("Ready", {}).get("status") == "True":
        return ""
    for container in status.get("containerStatuses") or []:
        for state in ("waiting", "terminated"):
            why = (container.get("state") or {}).get(state)
            if why:
                return f"is {why.get('reason', state)} {why.get('message', '')}".strip()[:200]
    scheduled = conditions.get("PodScheduled", {})
    if scheduled.get("status") == "False":
        return f"is unschedulable: {scheduled.get('message', '')}"[:200]
    return f"is {status.get('phase', 'Pending')}, not ready"


def _not_running(pod: JSON | None) -> str:
    if pod is None:
        return "does not exist"
    running = [c for c in pod.get("status", {}).get("containerStatuses") or [] if "running" in (c.get("state") or {})]
    return "" if running else "does not run"


def _not_failed(pod: JSON | None) -> str:
    if pod is None:
        return "does not exist"
    phase = pod.get("status", {}).get("phase", "Pending")
    return "" if phase == "Failed" else f"is {phase}, not Failed"


def _listed(phrases: Iterable[str]) -> str:
    every = list(phrases)
    more = f" and {len(every) - SHOWN} more" if len(every) > SHOWN else ""
    return "; ".join(every[:SHOWN]) + more
