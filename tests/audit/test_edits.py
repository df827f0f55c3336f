"""Edits of what a real kube-proxy wrote: each is found, of the right kind, and about the right object."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from conformance.audit import Kind
from tests.audit.recorded import Listing

Edit = Callable[[Listing], None]
EDITS: dict[str, tuple[Kind, str, Edit]] = {}

NP_TWO = "default/np-two:http"
NPL_TWO = "default/npl-two:http"
AFF_TWO = "default/aff-two:http"
CIP_TWO = "service-*default/cip-two/tcp/http"
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}


def finds(kind: Kind, about: str = "") -> Callable[[Edit], Edit]:
    def register(edit: Edit) -> Edit:
        EDITS[edit.__name__] = (kind, about, edit)
        return edit

    return register


def element(listing: Listing, container: str, word: str) -> Any:  # noqa: ANN401  JSON
    """The element of which ``word`` is a part."""
    return next(e for e in listing.elements(container) if word in str(e))


def drop_element(container: str, word: str) -> Edit:
    def edit(listing: Listing) -> None:
        listing.elements(container).remove(element(listing, container, word))

    return edit


DROPPED = {
    "cluster-ips": ("10.96.65.255", "default/cip-two"),
    "service-ips": ("external-YYCCXV47-default/ext-two/tcp/http", "default/ext-two:http"),
    "service-nodeports": ("default/np-two/tcp/http", NP_TWO),
    "no-endpoint-services": ("10.96.161.94", "default/itp-none:http"),
    "no-endpoint-nodeports": ("30567", "default/npl-hostnet:http"),
    "firewall-ips": ("203.0.113.45", "default/lbsr-x1:http"),
    "hairpin-connections": ("10.244.1.11", ""),
    "nodeport-ips": ("172.30.99.11", ""),
}


@pytest.mark.parametrize("container", DROPPED)
def test_a_dropped_element(container: str) -> None:
    word, about = DROPPED[container]
    listing = Listing.of("n1")
    drop_element(container, word)(listing)
    (finding,) = listing.findings()
    assert (finding.kind, container) == (Kind.MISSING, finding.where.split(" {")[0])
    assert finding.object == about or not about


# Elements that nobody asks for, or that say something else.


@finds(Kind.STALE, "default/gone:http")
def stale_service(listing: Listing) -> None:
    gone = {"goto": {"target": "service-AAAAAAAA-default/gone/tcp/http"}}
    listing.elements("service-ips").append([{"concat": ["10.96.99.99", "tcp", 80]}, gone])
    listing.add("chain", name="service-AAAAAAAA-default/gone/tcp/http")


@finds(Kind.STALE)
def stale_cluster_ip(listing: Listing) -> None:
    listing.elements("cluster-ips").append("10.96.99.99")


@finds(Kind.STALE)
def stale_node_port_address(listing: Listing) -> None:
    listing.elements("nodeport-ips").append("172.31.98.1")


@finds(Kind.STALE)
def stale_hairpin(listing: Listing) -> None:
    listing.elements("hairpin-connections").append({"concat": ["10.244.2.12", "10.244.2.12", "tcp", 8080]})


@finds(Kind.STALE, "default/np-none:http")
def node_port_both_served_and_refused(listing: Listing) -> None:
    onward = {"goto": {"target": listing.rules("external-*default/np-two/tcp/http")[0]["chain"]}}
    port = element(listing, "no-endpoint-nodeports", "default/np-none:http")[0]["elem"]["val"]
    listing.elements("service-nodeports").append([{"elem": {"val": port, "comment": "default/np-none:http"}}, onward])
    element(listing, "service-nodeports", "np-none")[1]["goto"]["target"] = "service-AAAAAAAA-default/np-none/tcp/http"


@finds(Kind.DUPLICATED, "default/cip-two")
def element_twice(listing: Listing) -> None:
    listing.elements("cluster-ips").append("10.96.65.255")


@finds(Kind.ALTERED, "default/itp-none:http")
def drop_for_reject(listing: Listing) -> None:
    element(listing, "no-endpoint-services", "default/itp-none")[1] = {"drop": None}


@finds(Kind.ALTERED, "default/npl-hostnet:http")
def reject_for_drop(listing: Listing) -> None:
    element(listing, "no-endpoint-nodeports", "default/npl-hostnet")[1] = {"goto": {"target": "reject-chain"}}


@finds(Kind.WRONG_ENDPOINTS, "default/extl-one:http")
def verdicts_swapped(listing: Listing) -> None:
    one = element(listing, "service-ips", "external-YYCCXV47-default/ext-two/tcp/http")
    other = element(listing, "service-ips", "external-KXILJQU7-default/extl-one/tcp/http")
    one[1], other[1] = other[1], one[1]


@finds(Kind.MISSING, "default/cip-two:http")
def wrong_port_of_a_key(listing: Listing) -> None:
    element(listing, "service-ips", "default/cip-two/tcp/http")[0]["concat"][2] = 81


@finds(Kind.ALTERED, NP_TWO)
def cluster_ip_goes_to_the_external_chain(listing: Listing) -> None:
    onward = listing.rules("external-*default/np-two/tcp/http")[0]["chain"]
    element(listing, "service-ips", "service-CDOXNYHX-default/np-two/tcp/http")[1]["goto"]["target"] = onward


# Endpoints, and how one of them is chosen.


def spread(listing: Listing, chain: str) -> Any:  # noqa: ANN401  JSON
    return listing.rules(chain)[-1]["expr"][1]["dnat"]["addr"]["map"]


@finds(Kind.WRONG_ENDPOINTS, "default/cip-two:http")
def wrong_endpoint(listing: Listing) -> None:
    spread(listing, CIP_TWO)["data"]["set"][0][1]["concat"][0] = "10.244.1.99"


@finds(Kind.WRONG_ENDPOINTS, "default/cip-two:http")
def wrong_target_port(listing: Listing) -> None:
    spread(listing, CIP_TWO)["data"]["set"][1][1]["concat"][1] = 8081


@finds(Kind.WRONG_ENDPOINTS, "default/cip-two:http")
def one_endpoint_never_chosen(listing: Listing) -> None:
    spread(listing, CIP_TWO)["key"]["numgen"]["mod"] = 1


@finds(Kind.ALTERED, "default/cip-two:http")
def a_third_of_the_dials_goes_nowhere(listing: Listing) -> None:
    spread(listing, CIP_TWO)["key"]["numgen"]["mod"] = 3


@finds(Kind.ALTERED, "default/cip-two:http")
def one_endpoint_chosen_twice_as_often(listing: Listing) -> None:
    chosen = spread(listing, CIP_TWO)
    chosen["key"]["numgen"]["mod"] = 3
    chosen["data"]["set"].append([2, chosen["data"]["set"][0][1]])


@finds(Kind.FOREIGN, "default/cip-two:http")
def endpoints_in_turn(listing: Listing) -> None:
    spread(listing, CIP_TWO)["key"]["numgen"]["mode"] = "inc"


@finds(Kind.ALTERED, "default/cip-two:http")
def wrong_protocol(listing: Listing) -> None:
    listing.rules(CIP_TWO)[0]["expr"][0]["match"]["right"] = "udp"


# Masquerading and traffic policies.


@finds(Kind.ALTERED, NP_TWO)
def no_mark(listing: Listing) -> None:
    listing.remove(listing.rules("external-*default/np-two/tcp/http")[0])


@finds(Kind.ALTERED, NP_TWO)
def another_mark(listing: Listing) -> None:
    listing.rules("external-*default/np-two/tcp/http")[0]["expr"][0]["mangle"]["value"]["|"][1] = 0x8000


@finds(Kind.ALTERED, NP_TWO)
def marked_too_late(listing: Listing) -> None:
    listing.swap(*listing.rules("external-*default/np-two/tcp/http"))


@finds(Kind.WRONG_ENDPOINTS, NPL_TWO)
def pods_are_not_short_circuited(listing: Listing) -> None:
    listing.remove(listing.rules("external-*default/npl-two/tcp/http")[0])


@finds(Kind.ALTERED, NPL_TWO)
def the_nodes_own_packets_keep_their_address(listing: Listing) -> None:
    listing.remove(listing.rules("external-*default/npl-two/tcp/http")[1])


@finds(Kind.WRONG_ENDPOINTS, NPL_TWO)
def local_policy_forwards_to_remote(listing: Listing) -> None:
    rule = listing.rules("external-*default/npl-two/tcp/http")[-1]
    rule["expr"] = [{"goto": {"target": rule["chain"].replace("external-", "service-")}}]


@finds(Kind.ALTERED, NPL_TWO)
def local_policy_masquerades_everybody(listing: Listing) -> None:
    del listing.rules("external-*default/npl-two/tcp/http")[1]["expr"][0]


@finds(Kind.FOREIGN, NPL_TWO)
def another_pod_network(listing: Listing) -> None:
    rule = listing.rules("external-*default/npl-two/tcp/http")[0]
    rule["expr"][0]["match"]["right"]["prefix"] = {"addr": "10.0.0.0", "len": 8}


# Session affinity.


@finds(Kind.ALTERED, AFF_TWO)
def affinity_asked_too_late(listing: Listing) -> None:
    first, _, last = listing.rules("service-*default/aff-two/tcp/http")
    listing.swap(first, last)


@finds(Kind.ALTERED, AFF_TWO)
def affinity_never_asked(listing: Listing) -> None:
    listing.remove(listing.rules("service-*default/aff-two/tcp/http")[0])


@finds(Kind.ALTERED, AFF_TWO)
def affinity_never_written(listing: Listing) -> None:
    listing.remove(listing.rules("endpoint-*default/aff-two/tcp/http__10.244.1.11/8080")[0])


@finds(Kind.ALTERED, AFF_TWO)
def affinity_never_renewed(listing: Listing) -> None:
    rule = listing.rules("endpoint-*default/aff-two/tcp/http__10.244.1.11/8080")[0]
    rule["expr"][0]["set"]["op"] = "add"


@finds(Kind.ALTERED, AFF_TWO)
def affinity_times_out_early(listing: Listing) -> None:
    listing.one("set", "affinity-*default/aff-two/tcp/http__10.244.1.11/8080")["timeout"] = 10


@finds(Kind.ALTERED, AFF_TWO)
def affinity_never_times_out(listing: Listing) -> None:
    del listing.one("set", "affinity-*default/aff-two/tcp/http__10.244.1.11/8080")["timeout"]


@finds(Kind.ALTERED, AFF_TWO)
def affinity_set_too_small(listing: Listing) -> None:
    listing.one("set", "affinity-*default/aff-two/tcp/http__10.244.1.11/8080")["size"] = 2


@finds(Kind.ALTERED, "default/affnp-two:http")
def affinity_shared_by_two_services(listing: Listing) -> None:
    mine = listing.one("set", "affinity-*default/aff-two/tcp/http__10.244.1.11/8080")["name"]
    its = listing.one("set", "affinity-*default/affnp-two/tcp/http__10.244.1.11/8080")["name"]
    for rule in listing.rules("*"):
        if "default/aff-two/" in rule["chain"]:
            rule["expr"] = json.loads(json.dumps(rule["expr"]).replace(f"@{mine}", f"@{its}"))


@finds(Kind.WRONG_ENDPOINTS, AFF_TWO)
def affinity_sends_to_the_wrong_service(listing: Listing) -> None:
    rule = listing.rules("service-*default/aff-two/tcp/http")[0]
    rule["expr"][1]["goto"]["target"] = listing.rules("endpoint-*affnp-one/tcp/http__10.244.1.13/8080")[0]["chain"]


# Source ranges.


@finds(Kind.ALTERED, "default/lbsr-x1:http")
def another_source_range(listing: Listing) -> None:
    listing.rules("firewall-*default/lbsr-x1/tcp/http")[0]["expr"][0]["match"]["right"] = "172.30.99.102"


@finds(Kind.ALTERED, "default/lbsr-x1:http")
def source_ranges_the_wrong_way_round(listing: Listing) -> None:
    listing.rules("firewall-*default/lbsr-x1/tcp/http")[0]["expr"][0]["match"]["op"] = "=="


@finds(Kind.MISSING, "default/lbsr-x1:http")
def no_source_range(listing: Listing) -> None:
    listing.remove(listing.rules("firewall-*default/lbsr-x1/tcp/http")[0])


# The frame.


@finds(Kind.BASE)
def another_priority(listing: Listing) -> None:
    listing.one("chain", "filter-prerouting-pre-dnat")["prio"] = -90


@finds(Kind.BASE)
def another_hook(listing: Listing) -> None:
    listing.one("chain", "nat-postrouting")["hook"] = "input"


@finds(Kind.BASE)
def another_policy(listing: Listing) -> None:
    listing.one("chain", "filter-forward")["policy"] = "drop"


@finds(Kind.BASE)
def jump_missing(listing: Listing) -> None:
    listing.remove(listing.rules("nat-output")[0])


@finds(Kind.BASE)
def jump_for_all_states(listing: Listing) -> None:
    del listing.rules("filter-forward")[0]["expr"][0]


@finds(Kind.BASE)
def jumps_in_another_order(listing: Listing) -> None:
    listing.swap(*listing.rules("filter-forward"))


@finds(Kind.BASE)
def node_ports_first(listing: Listing) -> None:
    _, by_address, by_number = listing.rules("services")
    listing.swap(by_address, by_number)


@finds(Kind.ALTERED)
def mark_not_taken_off(listing: Listing) -> None:
    del listing.rules("masquerading")[0]["expr"][1]


@finds(Kind.ALTERED)
def source_port_not_random(listing: Listing) -> None:
    listing.rules("masquerading")[1]["expr"][-1] = {"masquerade": None}


@finds(Kind.MISSING)
def hairpins_not_masqueraded(listing: Listing) -> None:
    listing.remove(listing.rules("masquerading")[1])


@finds(Kind.ALTERED)
def everybody_masqueraded(listing: Listing) -> None:
    del listing.rules("services")[0]["expr"][1]


@finds(Kind.ALTERED)
def unused_ports_dropped(listing: Listing) -> None:
    listing.rules("cluster-ips-check")[0]["expr"][1] = {"drop": None}


@finds(Kind.MISSING)
def unallocated_addresses_pass(listing: Listing) -> None:
    listing.remove(listing.rules("cluster-ips-check")[1])


@finds(Kind.ALTERED)
def reset_for_unreachable(listing: Listing) -> None:
    listing.rules("reject-chain")[0]["expr"][0]["reject"] = {"type": "tcp reset"}


@finds(Kind.ALTERED)
def node_ports_everywhere(listing: Listing) -> None:
    listing.rules("services")[2]["expr"][0] = {
        "match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["daddr"]}}, "right": "local"}
    }


@finds(Kind.DUPLICATED)
def rule_twice_in_the_frame(listing: Listing) -> None:
    listing.repeat(listing.rules("services")[1])


# What kube-proxy does not write, or has forgotten.


@finds(Kind.DUPLICATED, NP_TWO)
def rule_twice_in_a_service(listing: Listing) -> None:
    listing.repeat(listing.rules("external-*default/np-two/tcp/http")[0])


@finds(Kind.FOREIGN)
def rule_of_somebody_else(listing: Listing) -> None:
    match = {"match": {"op": "==", "left": SADDR, "right": "192.0.2.7"}}
    listing.add("rule", chain="filter-forward", expr=[match, {"drop": None}])


@finds(Kind.FOREIGN, "default/cip-two:http")
def rule_of_somebody_else_in_a_service(listing: Listing) -> None:
    match = {"match": {"op": "==", "left": SADDR, "right": "192.0.2.7"}}
    rule = copy.deepcopy(listing.rules(CIP_TWO)[0])
    rule["expr"] = [match, {"drop": None}]
    index = next(i for i, o in enumerate(listing.objects) if o.get("rule") is listing.rules(CIP_TWO)[0])
    listing.objects.insert(index, {"rule": rule})


@finds(Kind.FOREIGN, "default/cip-two:http")
def rule_that_no_packet_comes_to(listing: Listing) -> None:
    listing.add("rule", chain=listing.rules(CIP_TWO)[0]["chain"], expr=[{"drop": None}])
    listing.rules(CIP_TWO)[0]["expr"].insert(0, {"counter": {"packets": 1, "bytes": 40}})
    del listing.rules(CIP_TWO)[0]["expr"][1]


@finds(Kind.FOREIGN)
def chain_of_somebody_else(listing: Listing) -> None:
    listing.add("chain", name="mine", type="filter", hook="forward", prio=0, policy="accept")


@finds(Kind.FOREIGN)
def set_of_somebody_else(listing: Listing) -> None:
    listing.add("set", name="mine", type="ipv4_addr")


@finds(Kind.LEAKED_CHAIN, "default/gone:http")
def leaked_chain(listing: Listing) -> None:
    name = "service-AAAAAAAA-default/gone/tcp/http"
    listing.add("chain", name=name)
    listing.add("rule", chain=name, expr=[{"drop": None}])


@finds(Kind.LEAKED_CHAIN, "default/gone:http")
def leaked_affinity_set(listing: Listing) -> None:
    name = "affinity-AAAAAAAA-default/gone/tcp/http__10.244.1.11/8080"
    listing.add("set", name=name, type="ipv4_addr", flags=["timeout"], timeout=10800, size=65535)


@finds(Kind.BASE)
def dormant_table(listing: Listing) -> None:
    next(o["table"] for o in listing.objects if "table" in o)["flags"] = "dormant"


@pytest.mark.parametrize("name", EDITS)
def test_an_edit_is_found(name: str) -> None:
    kind, about, edit = EDITS[name]
    listing = Listing.of("n1")
    edit(listing)
    found = [(f.kind, f.object) for f in listing.findings()]
    assert (kind, about) in found, found
    assert len(found) <= 4, found


def test_an_empty_chain_is_about_to_be_deleted() -> None:
    listing = Listing.of("n2")
    listing.add("chain", name="service-AAAAAAAA-default/gone/tcp/http")
    assert listing.findings() == ()
    (finding,) = listing.findings(strict=True)
    assert (finding.kind, finding.object) == (Kind.LEAKED_CHAIN, "default/gone:http")


def test_one_family_wrong_and_the_other_right() -> None:
    listing = Listing.of("n1", "ip6")
    listing.remove(listing.rules("external-*default/np-two/tcp/http")[0])
    assert [(f.kind, f.object) for f in listing.findings()] == [(Kind.ALTERED, NP_TWO)]
    listing.family = "ip"
    assert listing.findings() == ()
