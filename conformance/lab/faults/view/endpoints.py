"""Conditions of endpoints, and slices that are none of a proxy's business."""

from __future__ import annotations

from conformance.lab.faults.view.objects import (
    endpoints,
    is_ready,
    local,
    spec,
    terminates,
    with_conditions,
    with_endpoints,
)
from conformance.lab.faults.view.registry import SLICES, Around, Json, World, owner, puts_in
from conformance.spec.faults import Fault


@puts_in(Fault.NOT_READY_CHOSEN, SLICES)
def everything_is_ready(one: Json, _around: Around) -> Json:
    """Every endpoint is shown ready."""
    return with_endpoints(one, lambda e: with_conditions(e, ready=True, serving=True, terminating=False))


@puts_in(Fault.TERMINATING_NOT_USED, SLICES)
def nothing_serves_its_end(one: Json, _around: Around) -> Json:
    """An endpoint that terminates is shown as one that does not serve."""
    return with_endpoints(one, _ended)


@puts_in(Fault.LOCAL_TERMINATING_NOT_USED, SLICES)
def local_policies_want_ready_ones(one: Json, around: Around) -> Json:
    """The same, for Services with a Local policy that have a ready endpoint anywhere."""
    service = around.service(one)
    ready = any(is_ready(e) for each in around.siblings(one) for e in endpoints(each))
    return with_endpoints(one, _ended) if service is not None and local(service) and ready else one


@puts_in(Fault.UNREADY_WITHHELD, SLICES)
def not_published(one: Json, around: Around) -> Json:
    """For a Service with publishNotReadyAddresses endpoints are shown ready only where they would be without it."""
    service = around.service(one)
    if service is None or not spec(service).get("publishNotReadyAddresses"):
        return one

    def honest(endpoint: Json) -> Json:
        serves = (endpoint.get("conditions") or {}).get("serving") is not False
        return with_conditions(endpoint, ready=serves and not terminates(endpoint))

    return with_endpoints(one, honest)


@puts_in(Fault.CONDITIONS_MISREAD, SLICES)
def silence_is_no(one: Json, _around: Around) -> Json:
    """An endpoint that does not say whether it is ready is shown as one that is not."""
    return with_endpoints(
        one, lambda e: e if "ready" in (e.get("conditions") or {}) else with_conditions(e, ready=False, serving=False)
    )


@puts_in(Fault.TERMINATING_TWIN_HIDES, SLICES)
def the_dying_twin_wins(one: Json, around: Around) -> Json:
    """A ready endpoint is not shown while one that terminates has its address, in whichever slice."""
    dying = {a for each in around.siblings(one) for e in endpoints(each) if terminates(e) for a in e["addresses"]}
    return with_endpoints(one, lambda e: e if terminates(e) or dying.isdisjoint(e["addresses"]) else None)


@puts_in(Fault.ODD_SLICE_STOPS_OTHERS, SLICES)
def odd_slice_stops(one: Json, around: Around) -> Json | None:
    """While there is an odd slice, its Service's other ones are not shown, and no change of any."""
    odd = around.world.derive(_odd)
    if not odd or _is_odd(one, around.world):
        return one
    return None if owner(one) in odd else around.shown


def _ended(endpoint: Json) -> Json:
    return with_conditions(endpoint, ready=False, serving=False) if terminates(endpoint) else endpoint


def _odd(world: World) -> frozenset[str]:
    """The Services that have odd slices."""
    return frozenset(key for key, every in world.slices.items() if any(_is_odd(each, world) for each in every))


def _is_odd(one: Json, world: World) -> bool:
    """Whether it routes nothing: host names, ports without a number, or a family that its Service does not have."""
    service = world.services.get(owner(one))
    families = spec(service).get("ipFamilies") if service else None
    foreign = bool(families) and one.get("addressType") not in (families or ())
    return foreign or any(not port.get("port") for port in one.get("ports") or ())
