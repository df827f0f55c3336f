"""Edits of what belongs to a Service: elements, endpoints, policies, affinity, source ranges."""

from __future__ import annotations

import json
from typing import Any

from conformance.audit import Kind
from tests.audit.edits import CIP_TWO, NP_TWO, element, finds
from tests.audit.recorded import Listing

NPL_TWO = "default/npl-two:http"
AFF_TWO = "default/aff-two:http"

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
def affinity_never_renewed_for_those_who_come_back(listing: Listing) -> None:
    rule = listing.rules("service-*default/aff-two/tcp/http")[0]
    rule["expr"][1] = {"dnat": {"addr": "10.244.1.11", "port": 8080}}


@finds(Kind.ALTERED, "default/affnp-two:http")
def only_new_clients_are_masqueraded(listing: Listing) -> None:
    """The mark is set in the Service's chain, behind its affinity rules."""
    marking = listing.rules("external-*default/affnp-two/tcp/http")[0]
    last = listing.rules("service-*default/affnp-two/tcp/http")[-1]
    last["expr"].insert(0, marking["expr"][0])
    listing.remove(marking)


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


# Another Service's chains: today they lead to the same endpoints.


@finds(Kind.ALTERED, "default/td-node:http")
def dispatched_by_another_services_chain(listing: Listing) -> None:
    its = listing.rules("service-*default/td-zone/tcp/http")[0]["chain"]
    element(listing, "service-ips", "default/td-node/tcp/http")[1]["goto"]["target"] = its


@finds(Kind.ALTERED, NP_TWO)
def onward_by_another_services_chain(listing: Listing) -> None:
    its = listing.rules(CIP_TWO)[0]["chain"]
    listing.rules("external-*default/np-two/tcp/http")[1]["expr"][0]["goto"]["target"] = its
