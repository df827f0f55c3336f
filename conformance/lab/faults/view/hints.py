"""Topology hints of endpoints."""

from __future__ import annotations

from conformance.lab.faults.view.objects import endpoints, is_ready, local, with_endpoints
from conformance.lab.faults.view.registry import SLICES, Around, Json, puts_in
from conformance.spec.faults import Fault

_ZONE = "topology.kubernetes.io/zone"


@puts_in(Fault.HINTS_IGNORED, SLICES)
def no_hints(one: Json, _around: Around) -> Json:
    """No hint is shown."""
    return with_endpoints(one, lambda e: {name: value for name, value in e.items() if name != "hints"})


@puts_in(Fault.HINTS_NOT_DROPPED, SLICES)
def hints_for_ever(one: Json, around: Around) -> Json:
    """Once any endpoint has or had a hint, those without one for the node, or for its zone, are not shown."""
    known: dict[str, Json] = around.memory.setdefault("hints", {})
    # Noted where the endpoint is hidden, too: what is shown would not tell.
    known |= {e["addresses"][0]: e["hints"] for e in endpoints(one) if e.get("hints") and is_ready(e)}
    every = [e for each in around.siblings(one) if each["addressType"] == one["addressType"] for e in endpoints(each)]
    hints = [e.get("hints") or {} for e in every if is_ready(e)] + list(known.values())
    kind = next((kind for kind in ("forNodes", "forZones") if any(h.get(kind) for h in hints)), "")
    if not kind:
        return one
    return with_endpoints(
        one, lambda e: e if _for_here(e.get("hints") or known.get(e["addresses"][0]) or {}, kind, around) else None
    )


@puts_in(Fault.LOCAL_POLICY_HEEDS_HINTS, SLICES)
def hints_before_policy(one: Json, around: Around) -> Json:
    """For Services with a Local policy, the node's own endpoints that are hinted for other zones are not shown."""
    service, here = around.service(one), around.world.node["metadata"]["name"]
    if service is None or not local(service):
        return one

    def stays(endpoint: Json) -> bool:
        hints = endpoint.get("hints") or {}
        return endpoint.get("nodeName") != here or not hints or _for_here(hints, "forZones", around)

    return with_endpoints(one, lambda e: e if stays(e) else None)


def _for_here(hints: Json, kind: str, around: Around) -> bool:
    node = around.world.node["metadata"]
    here = node["name"] if kind == "forNodes" else (node.get("labels") or {}).get(_ZONE, "")
    return here in [each.get("name") for each in hints.get(kind) or ()]
