"""What changes and is not seen to change."""

from __future__ import annotations

from conformance.lab.faults.view.objects import endpoints, ingress, is_ready, spec, with_ingress, with_spec
from conformance.lab.faults.view.registry import SERVICES, SLICES, Around, Json, owner, puts_in, retains
from conformance.spec.faults import Fault

_POLICIES = ("externalTrafficPolicy", "internalTrafficPolicy", "loadBalancerSourceRanges")


@puts_in(Fault.STATUS_NOT_FOLLOWED, SERVICES)
def first_status(service: Json, around: Around) -> Json:
    """The first addresses that a load balancer's status told stay the ones that are shown."""
    if around.shown is None or not ingress(around.shown):
        return service
    return with_ingress(service, ingress(around.shown))


@puts_in(Fault.POLICY_CHANGE_NOT_FOLLOWED, SERVICES)
def first_policies(service: Json, around: Around) -> Json:
    """Traffic policies and source ranges stay what was shown first, for as long as the type of the Service does."""
    if around.shown is None or spec(around.shown).get("type") != spec(service).get("type"):
        return service
    return with_spec(service, {name: spec(around.shown).get(name) for name in _POLICIES})


@puts_in(Fault.CHANGE_LOST, SERVICES)
@puts_in(Fault.CHANGE_LOST, SLICES)
def every_other_change(obj: Json, around: Around) -> Json:
    """Every other change of an object is not shown, until it changes again."""
    version = obj["metadata"].get("resourceVersion")
    if around.shown is None or around.memory.get("version") == version:
        around.memory.setdefault("version", version)
        return around.shown or obj
    around.memory["version"] = version
    around.memory["lost"] = not around.memory.get("lost", True)
    return around.shown if around.memory["lost"] else obj


@puts_in(Fault.STALE_ENDPOINT, SLICES)
def endpoints_stay(one: Json, around: Around) -> Json:
    """An endpoint that was shown ready is shown so for ever, at every port that it had."""
    last = around.shown
    if last is None or owner(last) != owner(one):
        return one
    kept = {tuple(e["addresses"]): e for e in endpoints(last) if is_ready(e)}
    current = {tuple(e["addresses"]): e for e in endpoints(one)}
    ports = {(p.get("name"), p.get("protocol"), p.get("port")): p for p in (*_ports(one), *_ports(last))}
    # A label can take away a slice as well as its deletion does.
    metadata = {**one["metadata"], "labels": last["metadata"].get("labels")}
    return {**one, "metadata": metadata, "ports": [*ports.values()], "endpoints": [*(current | kept).values()]}


@retains(Fault.STALE_ENDPOINT, SLICES)
def slices_stay(one: Json, around: Around) -> bool:
    """A slice that is gone is shown while its Service is there."""
    return owner(one) in around.world.services


def _ports(one: Json) -> tuple[Json, ...]:
    return tuple(one.get("ports") or ())
