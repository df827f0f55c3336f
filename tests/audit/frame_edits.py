"""Edits of what no Service changes, and things that kube-proxy does not write or has forgotten."""

from __future__ import annotations

import copy

from conformance.audit import Kind
from tests.audit.edits import CIP_TWO, NP_TWO, finds, from_source
from tests.audit.recorded import Listing

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
    listing.add("rule", chain="filter-forward", expr=[from_source("192.0.2.7"), {"drop": None}])


@finds(Kind.FOREIGN, "default/cip-two:http")
def rule_of_somebody_else_in_a_service(listing: Listing) -> None:
    rule = copy.deepcopy(listing.rules(CIP_TWO)[0])
    rule["expr"] = [from_source("192.0.2.7"), {"drop": None}]
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
