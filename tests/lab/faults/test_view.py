"""What kube-proxy is shown: each fault of its view by itself, and well-ordered lives whatever changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.faults.board import Switch
from conformance.lab.faults.view.every import ALTERATIONS, RETENTIONS
from conformance.lab.faults.view.lens import Lens, key, world
from conformance.lab.faults.view.registry import SERVICES, SLICES
from conformance.spec.faults import DAMAGE, Fault, Site

Json = dict[str, Any]

FOREIGN = {"service.kubernetes.io/service-proxy-name": "other"}
NODE = {"metadata": {"name": "node-a", "labels": {"topology.kubernetes.io/zone": "here"}}}
PORT = {"name": "web", "protocol": "TCP", "port": 8080}


def service(name: str = "web", *, uid: str = "s", ingress: Iterable[Json] = (), **spec: object) -> Json:
    made: Json = {"metadata": {"name": name, "namespace": "default", "uid": uid, "resourceVersion": "1"}}
    return made | {"spec": {"ipFamilies": ["IPv4"], **spec}, "status": {"loadBalancer": {"ingress": list(ingress)}}}


def slice_of(*endpoints: Json, name: str = "web-1", owner: str = "web", **fields: object) -> Json:
    labels = {"kubernetes.io/service-name": owner}
    metadata = {"name": name, "namespace": "default", "uid": name, "resourceVersion": "1", "labels": labels}
    made: Json = {"metadata": metadata, "addressType": "IPv4", "ports": [PORT], "endpoints": list(endpoints)}
    return made | fields


def end(address: str = "10.0.0.1", *, zone: str = "", node: str = "", on: str = "node-a", **conditions: object) -> Json:
    made: Json = {"addresses": [address], "nodeName": on, "conditions": conditions}
    if zone:
        made["hints"] = {"forZones": [{"name": zone}]}
    if node:
        made.setdefault("hints", {})["forNodes"] = [{"name": node}]
    return made


def lens(fault: Fault, kind: str, scope: str = "") -> Lens:
    return Lens(kind, (Switch(fault.name, service=scope),), lambda _: True)


class Shown:
    """What one kube-proxy sees of both kinds, from one look to the next."""

    def __init__(self, fault: Fault, scope: str = "") -> None:
        self._lenses = {kind: lens(fault, kind, scope) for kind in (SERVICES, SLICES)}

    def of(self, services: Iterable[Json], slices: Iterable[Json] = ()) -> tuple[dict[str, Json], dict[str, Json]]:
        there = world(services, slices, NODE)
        for each in self._lenses.values():
            each.look(there)
        services_seen, slices_seen = (
            {name.removeprefix("default/"): one for name, one in self._lenses[kind].shown.items()}
            for kind in (SERVICES, SLICES)
        )
        return services_seen, slices_seen

    def spec(self, one: Json) -> Json:
        found: Json = self.of([one])[0][one["metadata"]["name"]]["spec"]
        return found

    def addresses(self, *slices: Json, of: Json | None = None) -> set[str]:
        """The addresses that are shown of the slices of one Service."""
        seen = self.of([of or service()], slices)[1]
        return {e["addresses"][0] for one in seen.values() for e in one["endpoints"]}

    def conditions(self, endpoint: Json, of: Json | None = None) -> Json:
        found: Json = self.of([of or service()], [slice_of(endpoint)])[1]["web-1"]["endpoints"][0]["conditions"]
        return found


def test_every_fault_of_the_view_can_be_put_in_and_no_other() -> None:
    assert {fault for fault, _ in ALTERATIONS} == {f for f, damage in DAMAGE.items() if damage.site is Site.VIEW}
    assert set(RETENTIONS) <= set(ALTERATIONS)


def test_policies_are_shown_as_cluster() -> None:
    both = service(externalTrafficPolicy="Local", internalTrafficPolicy="Local")
    outer = Shown(Fault.LOCAL_POLICY_FORWARDS_TO_REMOTE).spec(both)
    inner = Shown(Fault.INTERNAL_LOCAL_FORWARDS_TO_REMOTE).spec(both)
    assert (outer["externalTrafficPolicy"], outer["internalTrafficPolicy"]) == ("Cluster", "Local")
    assert (inner["externalTrafficPolicy"], inner["internalTrafficPolicy"]) == ("Local", "Cluster")
    assert both["spec"]["externalTrafficPolicy"] == "Local"


def test_addresses_are_hidden_or_taken() -> None:
    one = service(externalIPs=["192.0.2.1"], ingress=[{"ip": "203.0.113.1", "ipMode": "Proxy"}, {"hostname": "h"}])
    assert "externalIPs" not in Shown(Fault.EXTERNAL_IP_NOT_SERVED).spec(one)
    hidden = Shown(Fault.LOAD_BALANCER_NOT_SERVED).of([one])[0]["web"]
    assert (hidden["status"]["loadBalancer"]["ingress"], hidden["spec"]["externalIPs"]) == ([], ["192.0.2.1"])
    taken = Shown(Fault.PROXY_MODE_INGRESS_CAPTURED).of([one])[0]["web"]["status"]["loadBalancer"]["ingress"]
    assert taken == [{"ip": "203.0.113.1", "ipMode": "VIP"}, {"hostname": "h"}]


@pytest.mark.parametrize(("ranges", "left"), [((" 10.0.0.0/8", "192.0.2.0/24"), ["192.0.2.0/24"]), ((" ::/0 ",), None)])
def test_ranges_with_blanks_are_hidden(ranges: tuple[str, ...], left: list[str] | None) -> None:
    seen = Shown(Fault.SOURCE_RANGES_STRAY_BLANKS).spec(service(loadBalancerSourceRanges=list(ranges)))
    assert seen.get("loadBalancerSourceRanges") == left


@pytest.mark.parametrize(
    ("fault", "conditions", "seen"),
    [
        (Fault.NOT_READY_CHOSEN, {"ready": False}, {"ready": True, "serving": True, "terminating": False}),
        (Fault.CONDITIONS_MISREAD, {}, {"ready": False, "serving": False}),
        (Fault.CONDITIONS_MISREAD, {"ready": True}, {"ready": True}),
        (
            Fault.TERMINATING_NOT_USED,
            {"ready": False, "serving": True, "terminating": True},
            {"ready": False, "serving": False, "terminating": True},
        ),
        (Fault.TERMINATING_NOT_USED, {"ready": False, "serving": True}, {"ready": False, "serving": True}),
    ],
)
def test_conditions(fault: Fault, conditions: Json, seen: Json) -> None:
    assert Shown(fault).conditions(end(**conditions)) == seen


def test_what_is_published_before_it_is_ready_is_withheld() -> None:
    published, unready = service(publishNotReadyAddresses=True), end(ready=True, serving=False)
    assert Shown(Fault.UNREADY_WITHHELD).conditions(unready, published)["ready"] is False
    assert Shown(Fault.UNREADY_WITHHELD).conditions(unready)["ready"] is True


def test_local_policies_pass_over_terminating_endpoints_only_where_there_is_a_ready_one() -> None:
    shown, mine = Shown(Fault.LOCAL_TERMINATING_NOT_USED), service(internalTrafficPolicy="Local")
    dying, ready = end(ready=False, serving=True, terminating=True), slice_of(end("10.0.0.2", ready=True), name="web-2")

    def serving(of: Json, *others: Json) -> bool:
        found: bool = shown.of([of], [slice_of(dying), *others])[1]["web-1"]["endpoints"][0]["conditions"]["serving"]
        return found

    assert serving(mine)
    assert not serving(mine, ready)
    assert serving(service(), ready)


def test_a_dying_twin_hides_a_ready_endpoint_of_another_slice() -> None:
    dying = slice_of(end(ready=False, serving=False, terminating=True), name="web-2")
    seen = Shown(Fault.TERMINATING_TWIN_HIDES).of([service()], [slice_of(end(), end("10.0.0.2")), dying])[1]
    assert [e["addresses"] for e in seen["web-1"]["endpoints"]] == [["10.0.0.2"]]
    assert len(seen["web-2"]["endpoints"]) == 1


@pytest.mark.parametrize(
    "odd", [{"addressType": "FQDN"}, {"addressType": "IPv6"}, {"ports": [{"name": "web", "protocol": "TCP"}]}]
)
def test_an_odd_slice_stops_what_comes_after_it(odd: Json) -> None:
    shown = Shown(Fault.ODD_SLICE_STOPS_OTHERS)
    services = [service(), service("old", uid="o"), service("new", uid="n")]
    old, new = slice_of(end(), name="old-1", owner="old"), slice_of(end(), name="new-1", owner="new")
    assert shown.of(services, [old, slice_of(end())])[1].keys() == {"old-1", "web-1"}
    changed = slice_of(end("10.0.0.9"), name="old-1", owner="old")
    seen = shown.of(services, [changed, new, slice_of(end()), slice_of(end(), name="odd", **odd)])[1]
    assert seen.keys() == {"old-1", "odd"}
    assert seen["old-1"] == old
    assert shown.of(services, [changed, new])[1] == {"old-1": changed, "new-1": new}


def test_hints_are_hidden() -> None:
    seen = Shown(Fault.HINTS_IGNORED).of([service()], [slice_of(end(zone="here"))])[1]
    assert "hints" not in seen["web-1"]["endpoints"][0]


@pytest.mark.parametrize(
    ("ends", "left"),
    [
        ((end("10.0.0.1", zone="here"), end("10.0.0.2")), {"10.0.0.1"}),
        ((end("10.0.0.1", zone="there"), end("10.0.0.2", zone="there")), set()),
        ((end("10.0.0.1", zone="here", node="node-b"), end("10.0.0.2", node="node-a")), {"10.0.0.2"}),
        ((end("10.0.0.1"), end("10.0.0.2")), {"10.0.0.1", "10.0.0.2"}),
        ((end("10.0.0.1"), end("10.0.0.2", zone="here", ready=False)), {"10.0.0.1", "10.0.0.2"}),
    ],
)
def test_hints_are_followed_where_they_must_not_be(ends: tuple[Json, ...], left: set[str]) -> None:
    assert Shown(Fault.HINTS_NOT_DROPPED).addresses(slice_of(*ends)) == left


def test_hints_that_are_gone_are_followed() -> None:
    shown = Shown(Fault.HINTS_NOT_DROPPED)
    shown.addresses(slice_of(end("10.0.0.1", zone="there"), end("10.0.0.2", zone="here")))
    assert shown.addresses(slice_of(end("10.0.0.1"), end("10.0.0.2"))) == {"10.0.0.2"}


@pytest.mark.parametrize(("policy", "left"), [("Local", {"10.0.0.2"}), ("Cluster", {"10.0.0.1", "10.0.0.2"})])
def test_a_local_policy_heeds_hints_on_the_endpoint_s_own_node(policy: str, left: set[str]) -> None:
    ends = end("10.0.0.1", zone="there"), end("10.0.0.2", zone="there", on="node-b")
    shown = Shown(Fault.LOCAL_POLICY_HEEDS_HINTS)
    assert shown.addresses(slice_of(*ends), of=service(externalTrafficPolicy=policy)) == left


def test_the_first_status_stays_for_one_life_of_the_service() -> None:
    shown = Shown(Fault.STATUS_NOT_FOLLOWED)

    def seen(one: Json) -> list[Json]:
        found: list[Json] = shown.of([one])[0]["web"]["status"]["loadBalancer"]["ingress"]
        return found

    first, second = {"ip": "203.0.113.1"}, {"ip": "203.0.113.2"}
    told = [seen(service(ingress=some)) for some in ((), (first,), (second,), ())]
    assert told == [[], [first], [first], [first]]
    assert seen(service(uid="another", ingress=[second])) == [second]


def test_changes_of_policies_are_not_followed() -> None:
    shown = Shown(Fault.POLICY_CHANGE_NOT_FOLLOWED)
    shown.spec(service(type="NodePort", externalTrafficPolicy="Cluster"))
    changed = service(type="NodePort", externalTrafficPolicy="Local", loadBalancerSourceRanges=["::/0"], ports=[1])
    seen = shown.spec(changed)
    assert seen["externalTrafficPolicy"] == "Cluster"
    assert "loadBalancerSourceRanges" not in seen
    assert seen["ports"] == [1]
    assert "externalTrafficPolicy" not in shown.spec(service(type="ClusterIP"))


def test_every_other_change_is_lost() -> None:
    shown = Shown(Fault.CHANGE_LOST)

    def seen(version: int) -> int:
        one = service(ports=[version])
        one["metadata"]["resourceVersion"] = str(version)
        found: int = shown.spec(one)["ports"][0]
        return found

    assert [seen(version) for version in (1, 1, 2, 2, 3, 4, 5)] == [1, 1, 2, 2, 2, 4, 4]


def test_endpoints_stay_while_their_service_does() -> None:
    shown, gone = Shown(Fault.STALE_ENDPOINT), slice_of(end("10.0.0.9"), name="web-2")
    assert shown.addresses(slice_of(end("10.0.0.1"), end("10.0.0.2", ready=False)), gone) == {
        *("10.0.0.1", "10.0.0.2", "10.0.0.9"),
    }
    other = {**PORT, "port": 8081}
    seen = shown.of([service()], [slice_of(end("10.0.0.3"), ports=[other])])[1]
    # The one that never was ready leaves as it should; the other one stays, at the port that it had.
    assert {e["addresses"][0] for e in seen["web-1"]["endpoints"]} == {"10.0.0.1", "10.0.0.3"}
    assert seen["web-1"]["ports"] == [other, PORT]
    assert seen["web-2"] == gone
    assert shown.of([], [])[1] == {}


def test_an_endpoint_that_was_ready_stays_so() -> None:
    shown = Shown(Fault.STALE_ENDPOINT)
    shown.conditions(end(ready=True))
    assert shown.conditions(end(ready=False, terminating=True)) == {"ready": True}


def test_what_is_foreign_passes_selectors() -> None:
    def selects(one: Json) -> bool:
        return not FOREIGN.keys() & (one["metadata"].get("labels") or {}).keys()

    foreign = service()
    foreign["metadata"]["labels"] = FOREIGN
    for fault, seen in ((Fault.FOREIGN_SERVICE_SERVED, ["default/web"]), (Fault.HINTS_IGNORED, [])):
        one = Lens(SERVICES, (Switch(fault.name),), selects)
        one.look(world([foreign], [], NODE))
        assert list(one.shown) == seen


def test_only_the_service_in_scope_suffers() -> None:
    shown = Shown(Fault.NOT_READY_CHOSEN, scope="default/web")
    slices = [slice_of(end(ready=False), name=f"{name}-1", owner=name) for name in ("web", "other")]
    seen = shown.of([service(), service("other", uid="o")], slices)[1]
    assert [seen[f"{name}-1"]["endpoints"][0]["conditions"]["ready"] for name in ("web", "other")] == [True, False]


def test_a_slice_changes_for_its_reader_when_its_service_does() -> None:
    one = lens(Fault.UNREADY_WITHHELD, SLICES)
    slices = [slice_of(end(ready=True, serving=False))]
    assert [change for change, _ in one.look(world([service()], slices, NODE))] == ["ADDED"]
    assert one.look(world([service()], slices, NODE)) == []
    told = one.look(world([service(publishNotReadyAddresses=True)], slices, NODE))
    assert [(change, each["endpoints"][0]["conditions"]["ready"]) for change, each in told] == [("MODIFIED", False)]


_ENDS = st.builds(
    lambda number, zone, ready, dying: end(f"10.0.0.{number}", zone=zone, ready=ready, terminating=dying),
    st.integers(1, 3),
    st.sampled_from(("", "here", "there")),
    st.booleans(),
    st.booleans(),
)
_WORLDS = st.lists(
    st.tuples(
        st.lists(st.builds(service, st.just("web"), uid=st.sampled_from("ab")), max_size=1),
        st.lists(
            st.builds(
                lambda ends, number, kind: slice_of(*ends, name=f"web-{number}", addressType=kind),
                st.lists(_ENDS, max_size=3),
                st.integers(1, 3),
                st.sampled_from(("IPv4", "IPv4", "IPv6")),
            ),
            max_size=3,
            unique_by=lambda one: str(one["metadata"]["name"]),
        ),
    ),
    max_size=6,
)


@given(fault=st.sampled_from(sorted({fault for fault, _ in ALTERATIONS}, key=lambda f: f.name)), worlds=_WORLDS)
def test_lives_are_well_ordered(fault: Fault, worlds: list[tuple[list[Json], list[Json]]]) -> None:
    for kind in (SERVICES, SLICES):
        one, known = lens(fault, kind), dict[str, Json]()
        for services, slices in worlds:
            for change, each in one.look(world(services, slices, NODE)):
                name = key(each)
                assert (name in known) == (change != "ADDED")
                if change == "DELETED":
                    del known[name]
                else:
                    assert change == "ADDED" or known[name]["metadata"]["uid"] == each["metadata"]["uid"]
                    known[name] = each
            assert known == one.shown
