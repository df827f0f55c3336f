"""Faults in how packets are treated: what becomes of kube-proxy's transactions, and of the reference proxy's."""

from __future__ import annotations

import pytest

from conformance.lab.faults.board import Switch
from conformance.lab.faults.rules.every import REWRITES
from conformance.lab.faults.scene import Scene, World
from conformance.lab.faults.transaction import parse, render
from conformance.spec.faults import Fault

T = "ip kube-proxy"
WEB, A, B = "N4TWXLTW-default/web/tcp/http", "10.244.1.11/8080", "10.244.2.12/8080"
MORE = "O4FO4U5C-default/web/tcp/more"
EP_A, EP_B = f"WUK3UCWJ-default/web/tcp/http__{A}", f"G6FKFBJY-default/web/tcp/http__{B}"
MORE_A = f"CLF3AF6A-default/web/tcp/more__{A}"

MASQUERADING = [
    "mark and 0x4000 != 0 mark set mark xor 0x4000 masquerade fully-random",
    "meta mark and 0x4000 != 0 meta mark set meta mark xor 0x4000 masquerade fully-random",
]
"""As kube-proxy and as the reference proxy write it."""
SETS = [
    "{ type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }",
    "{ type ipv4_addr ; flags dynamic,timeout ; timeout 10800s ; }",
]


def scene(fault: Fault, service: str = "") -> Scene:
    return Scene(Switch(fault.name, service=service), "node-a")


def suffer(here: Scene, *lines: str) -> list[str]:
    return render(REWRITES[Fault[here.switch.fault]](parse("\n".join(lines)), here)).splitlines()


def rule(chain: str, text: str) -> str:
    return f"add rule {T} {chain} {text}"


def element(verb: str, name: str, text: str) -> str:
    return f"{verb} element {T} {name} {{ {text} }}"


HAIRPIN_RULE = rule(
    "masquerading",
    "ct status dnat ip saddr . ip daddr . meta l4proto . th dport @hairpin-connections masquerade fully-random",
)
HAIRPIN = "10.244.1.11 . 10.244.1.11 . tcp . 8080"
EXTERNAL_LOCAL = [
    rule(f"external-{WEB}", f'ip saddr 10.244.0.0/16 goto service-{WEB} comment "short-circuit pod traffic"'),
    rule(f"external-{WEB}", "fib saddr type local meta mark set meta mark or 0x4000"),
    rule(f"external-{WEB}", f"fib saddr type local goto service-{WEB}"),
    rule(f"external-{WEB}", f"goto local-{WEB}"),
]
EXTERNAL_CLUSTER = [
    rule(f"external-{WEB}", 'meta mark set meta mark or 0x4000 comment "masquerade"'),
    rule(f"external-{WEB}", f"goto service-{WEB}"),
]
STICKY = [
    rule(f"service-{WEB}", f"ip saddr @affinity-{EP_A} goto endpoint-{EP_A}"),
    rule(f"service-{WEB}", f"numgen random mod 1 vmap {{ 0 : goto endpoint-{EP_A} }}"),
    rule(f"endpoint-{EP_A}", f"update @affinity-{EP_A} {{ ip saddr }}"),
    rule(f"endpoint-{EP_A}", "meta l4proto tcp dnat to 10.244.1.11:8080"),
]
FIREWALL = rule(f"firewall-{WEB}", "ip saddr != { 10.0.0.0/8, 192.0.2.0/24, 203.0.113.45 } drop")


def test_without_hairpin_the_connections_leave_first_and_unmasqueraded() -> None:
    here = scene(Fault.NO_HAIRPIN)
    made = suffer(
        here,
        f"add set {T} hairpin-connections {{ type ipv4_addr . ipv4_addr . inet_proto . inet_service ; }}",
        HAIRPIN_RULE,
        element("add", "hairpin-connections", HAIRPIN),
    )
    assert element("add", "lost-hairpin-connections", HAIRPIN) in made
    inserted = made.index(next(line for line in made if line.startswith("insert rule")))
    assert "@lost-hairpin-connections accept" in made[inserted]
    assert any(line.startswith(f"add set {T} lost-hairpin-connections") for line in made[:inserted])
    assert suffer(here, element("delete", "hairpin-connections", HAIRPIN)) == [
        element("delete", "lost-hairpin-connections", HAIRPIN)
    ]


@pytest.mark.parametrize("masquerading", MASQUERADING)
def test_everything_is_marked_with_the_bit_that_the_proxy_uses(masquerading: str) -> None:
    here = scene(Fault.MASQUERADE_EVERYTHING)
    suffer(here, rule("masquerading", masquerading.replace("0x4000", "0x80")))
    made = suffer(here, *STICKY)
    assert made[0] == rule(f"service-{WEB}", "meta mark set meta mark or 0x80")
    assert made[1:] == STICKY


@pytest.mark.parametrize("masquerading", MASQUERADING)
def test_source_ports_stay_for_those_protocols_that_the_kernel_knows(masquerading: str) -> None:
    kept, other = suffer(scene(Fault.SOURCE_PORTS_CLASH), rule("masquerading", masquerading))
    assert kept == rule("masquerading", "meta l4proto { tcp, udp } " + masquerading).replace(
        "masquerade fully-random", "masquerade to :th sport"
    )
    assert other == rule("masquerading", masquerading)


def test_without_masquerading_nothing_is_a_hairpin_and_no_mark_survives() -> None:
    here = scene(Fault.NO_MASQUERADE)
    made = suffer(here, *STICKY, element("add", "hairpin-connections", HAIRPIN))
    assert made == [rule(f"service-{WEB}", "meta mark set 0"), *STICKY]
    assert suffer(here, element("delete", "hairpin-connections", HAIRPIN)) == []


def test_a_fault_of_one_service_leaves_the_others_alone() -> None:
    assert suffer(scene(Fault.NO_MASQUERADE, "default/other"), *STICKY) == STICKY
    assert suffer(scene(Fault.NO_MASQUERADE, "default/web"), *STICKY) != STICKY


def test_pods_are_looked_for_where_there_are_none() -> None:
    here = scene(Fault.PODS_TAKEN_FOR_OUTSIDERS)
    dispatch = rule("services", "ip daddr @cluster-ips ip saddr != 10.244.0.0/16 mark set mark or 0x4000")
    assert suffer(here, dispatch, FIREWALL) == [dispatch.replace("10.244.0.0/16", "192.0.2.0/24"), FIREWALL]
    assert "ip saddr 192.0.2.0/24 goto service-" in suffer(here, *EXTERNAL_LOCAL)[0]


def test_clients_outside_are_not_marked_at_a_cluster_ip() -> None:
    vmap = rule("services", "ip daddr . meta l4proto . th dport vmap @service-ips")
    for mark in ("mark set mark or 0x4000", "meta mark set meta mark or 0x4000"):
        dispatch = rule("services", f"ip daddr @cluster-ips ip saddr != 10.244.0.0/16 {mark}")
        assert suffer(scene(Fault.OUTSIDERS_NOT_MASQUERADED), dispatch, vmap) == [vmap]


def test_only_local_policies_lose_the_clients_address() -> None:
    here = scene(Fault.LOCAL_POLICY_MASQUERADES)
    assert suffer(here, *EXTERNAL_LOCAL) == [
        rule(f"external-{WEB}", "meta mark set meta mark or 0x4000"),
        *EXTERNAL_LOCAL,
    ]
    assert suffer(here, *EXTERNAL_CLUSTER) == EXTERNAL_CLUSTER


def test_short_circuits_go_and_the_way_of_policy_cluster_stays() -> None:
    here = scene(Fault.LOCAL_POLICY_NO_SHORT_CIRCUIT)
    assert suffer(here, *EXTERNAL_LOCAL) == [EXTERNAL_LOCAL[1], EXTERNAL_LOCAL[3]]
    assert suffer(here, *EXTERNAL_CLUSTER) == EXTERNAL_CLUSTER
    forgetful = scene(Fault.LOCAL_POLICY_FORGETS_NODES)
    assert suffer(forgetful, *EXTERNAL_LOCAL) == [EXTERNAL_LOCAL[0], EXTERNAL_LOCAL[3]]


def test_local_policies_take_the_cluster_ip_with_what_is_local() -> None:
    here = scene(Fault.LOCAL_POLICY_TAKES_CLUSTER_IP)
    local = "meta l4proto tcp dnat ip addr . port to numgen random mod 1 map { 0 : 10.244.1.11 . 8080 }"
    at_cluster_ip = f"insert rule {T} service-{WEB} ip daddr @cluster-ips"
    assert suffer(here, STICKY[0], rule(f"local-{WEB}", local), *EXTERNAL_LOCAL)[-1] == f"{at_cluster_ip} {local}"
    # Rules that do not change are not written again.
    assert suffer(here, STICKY[0]) == [STICKY[0], f"{at_cluster_ip} {local}"]
    assert suffer(here, STICKY[0], f"flush chain {T} local-{WEB}")[-1] == f"{at_cluster_ip} drop"
    assert suffer(here, STICKY[0], f"flush chain {T} external-{WEB}", *EXTERNAL_CLUSTER)[-1] == EXTERNAL_CLUSTER[-1]


def test_only_drops_for_want_of_endpoints_become_rejects() -> None:
    here = scene(Fault.LOCAL_POLICY_REFUSES)
    drop = element("add", "no-endpoint-services", '10.96.0.9 . tcp . 80 comment "default/web:http" : drop')
    cidrs = rule("cluster-ips-check", "ip daddr { 10.96.0.0/16 } drop")
    assert suffer(here, drop, cidrs, FIREWALL) == [drop.replace(": drop", ": goto reject-chain"), cidrs, FIREWALL]


def test_endpoints_are_missed_before_the_translation_too() -> None:
    hooked = "ct state new jump firewall-check"
    made = suffer(
        scene(Fault.ENDPOINTS_MISSED_TOO_EARLY),
        rule("filter-prerouting-pre-dnat", hooked),
        rule("filter-input", "ct state new jump nodeport-endpoints-check"),
    )
    assert [line.split(None, 5)[4:] for line in made] == [
        ["filter-prerouting-pre-dnat", "ct state new jump service-endpoints-check"],
        ["filter-prerouting-pre-dnat", "ct state new jump nodeport-endpoints-check"],
        ["filter-prerouting-pre-dnat", hooked],
        ["filter-input", "ct state new jump nodeport-endpoints-check"],
    ]


def test_affinity_is_ignored_where_the_endpoint_is_chosen() -> None:
    assert suffer(scene(Fault.AFFINITY_IGNORED), *STICKY) == STICKY[1:]


def test_affinity_by_address_disguises_who_dials_another_one() -> None:
    made = suffer(scene(Fault.AFFINITY_NOT_SHARED), *STICKY)
    assert made[:2] == [
        rule(f"service-{WEB}", f"ip daddr @cluster-ips ip saddr @affinity-{EP_A} goto endpoint-{EP_A}"),
        rule(
            f"service-{WEB}", f"ip daddr != @cluster-ips ip saddr xor 128.0.0.0 @affinity-{EP_A} goto endpoint-{EP_A}"
        ),
    ]
    assert len(made) == len(STICKY) + 2


def _tie(port: str, endpoint: str) -> list[str]:
    return [
        f"add set {T} affinity-{endpoint} {SETS[0]}",
        rule(f"service-{port}", f"ip saddr @affinity-{endpoint} goto endpoint-{endpoint}"),
        rule(f"endpoint-{endpoint}", f"update @affinity-{endpoint} {{ ip saddr }}"),
    ]


def test_ports_share_the_set_of_the_first_which_goes_last() -> None:
    here = scene(Fault.AFFINITY_PORTS_TOGETHER)
    first = _tie(WEB, EP_A)
    assert suffer(here, *first) == first
    _, looked, put = suffer(here, *_tie(MORE, MORE_A))
    assert f"@affinity-{EP_A} goto endpoint-{MORE_A}" in looked
    assert f"update @affinity-{EP_A} " in put
    assert suffer(here, f"delete set {T} affinity-{EP_A}") == []
    assert suffer(here, f"delete set {T} affinity-{MORE_A}") == [
        f"delete set {T} affinity-{MORE_A}",
        f"delete set {T} affinity-{EP_A}",
    ]


def test_other_endpoints_do_not_share() -> None:
    here = scene(Fault.AFFINITY_PORTS_TOGETHER)
    both = [*_tie(WEB, EP_A), *_tie(WEB, EP_B)]
    assert suffer(here, *both) == both


def test_affinity_that_stays_on_keeps_its_rules_and_sets() -> None:
    here = scene(Fault.AFFINITY_STAYS_ON)
    assert suffer(here, *STICKY) == STICKY
    spread = rule(f"service-{WEB}", "meta l4proto tcp dnat ip addr . port to numgen random mod 1 map { 0 : x . 1 }")
    off = [f"flush chain {T} service-{WEB}", spread, f"delete set {T} affinity-{EP_A}"]
    assert suffer(here, *off, element("add", "cluster-ips", "10.96.0.9")) == [
        element("add", "cluster-ips", "10.96.0.9")
    ]
    assert suffer(here, f"delete chain {T} endpoint-{EP_A}") == []
    assert suffer(here, f'add table {T} {{ comment "x" ; }}', spread)[-1] == spread


def test_a_service_that_goes_takes_its_affinity_along() -> None:
    here = scene(Fault.AFFINITY_STAYS_ON)
    suffer(here, *STICKY)
    gone = [f"flush chain {T} service-{WEB}", f"delete set {T} affinity-{EP_A}"]
    assert suffer(here, *gone) == gone


@pytest.mark.parametrize("declaration", SETS)
@pytest.mark.parametrize(
    ("fault", "timeout"), [(Fault.AFFINITY_NEVER_EXPIRES, "31536000s"), (Fault.AFFINITY_EXPIRES_EARLY, "1s")]
)
def test_timeouts_are_others(declaration: str, fault: Fault, timeout: str) -> None:
    (made,) = suffer(scene(fault), f"add set {T} affinity-{EP_A} {declaration}")
    assert made == f"add set {T} affinity-{EP_A} {declaration.replace('10800s', timeout)}"


@pytest.mark.parametrize("declaration", SETS)
def test_two_clients_fit_into_a_small_set(declaration: str) -> None:
    (made,) = suffer(scene(Fault.AFFINITY_HAS_LITTLE_ROOM), f"add set {T} affinity-{EP_A} {declaration}")
    assert made.count("size") == 1
    assert "size 2 ;" in made


def test_a_frozen_timeout_lasts_as_long_as_its_set() -> None:
    here = scene(Fault.AFFINITY_TIMEOUT_FROZEN)
    first, then = (f"add set {T} affinity-{EP_A} {SETS[0].replace('10800', seconds)}" for seconds in ("3", "9"))
    assert suffer(here, first) == [first]
    assert suffer(here, then) == [first]
    suffer(here, f"delete set {T} affinity-{EP_A}")
    assert suffer(here, then) == [then]


def test_clients_once_remembered_are_not_renewed() -> None:
    made = suffer(scene(Fault.AFFINITY_NOT_RENEWED), *STICKY)
    assert made[2] == STICKY[2].replace("update", "add", 1)
    assert made[:2] == STICKY[:2]


def test_every_transaction_empties_the_sets_that_are_there() -> None:
    here = scene(Fault.AFFINITY_FORGOTTEN)
    made = f"add set {T} affinity-{EP_A} {SETS[0]}"
    emptied = f"flush set {T} affinity-{EP_A}"
    other = element("add", "cluster-ips", "10.96.0.9")
    assert suffer(here, made) == [made, emptied]
    assert suffer(here, other) == [emptied, other]
    assert suffer(here, f"delete set {T} affinity-{EP_A}") == [emptied, f"delete set {T} affinity-{EP_A}"]
    assert suffer(here, other) == [other]


VIP = "203.0.113.45 . tcp . 80"
ADDRESSES = [
    element("add", "nodeport-ips", "172.18.0.2"),
    element("add", "service-ips", f"10.96.0.9 . tcp . 80 : goto service-{WEB}"),
    element("add", "service-ips", f"{VIP} : goto external-{WEB}"),
    element("add", "service-nodeports", f"tcp . 30080 : goto external-{WEB}"),
]
SUBJECT = element("add", "firewall-ips", f"{VIP} : goto firewall-{WEB}")


def test_ignored_ranges_have_no_elements_and_none_to_delete() -> None:
    here = scene(Fault.SOURCE_RANGES_IGNORED)
    assert suffer(here, *ADDRESSES, SUBJECT) == ADDRESSES
    assert suffer(here, element("delete", "firewall-ips", VIP)) == []


def test_ranges_elsewhere_come_and_go_with_those_of_the_balancer() -> None:
    here = scene(Fault.SOURCE_RANGES_ELSEWHERE)
    assert suffer(here, *ADDRESSES) == ADDRESSES
    elsewhere = ["10.96.0.9 . tcp . 80", "172.18.0.2 . tcp . 30080"]
    assert suffer(here, SUBJECT) == [
        SUBJECT,
        *(element("add", "firewall-ips", f"{key} : goto firewall-{WEB}") for key in elsewhere),
    ]
    gone = element("delete", "firewall-ips", VIP)
    assert suffer(here, gone) == [*(element("delete", "firewall-ips", key) for key in elsewhere), gone]


def test_a_proxy_that_starts_finds_no_ranges_elsewhere() -> None:
    here = scene(Fault.SOURCE_RANGES_ELSEWHERE)
    suffer(here, *ADDRESSES, SUBJECT)
    flushes = [f"flush map {T} {name}" for name in ("firewall-ips", "service-ips", "service-nodeports")]
    assert suffer(here, *flushes, *ADDRESSES) == [*flushes, *ADDRESSES]


def test_nobody_gets_in_also_where_the_proxy_sees_no_range() -> None:
    here = scene(Fault.SOURCE_RANGES_DROP_ALL)
    web = {
        "metadata": {"namespace": "default", "name": "web"},
        "spec": {"loadBalancerSourceRanges": ["2001:db8::/32"], "ports": [{"name": "http", "protocol": "TCP"}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.45"}]}},
    }
    here.__dict__["world"] = World((web,), (), ())
    dropped = element("add", "firewall-ips", f"{VIP} : drop")
    assert suffer(here, *ADDRESSES) == [*ADDRESSES, dropped]
    assert suffer(here, SUBJECT) == [element("delete", "firewall-ips", VIP), dropped]


@pytest.mark.parametrize(
    ("fault", "spared"),
    [
        (Fault.SOURCE_RANGES_SKIP_NODE, "fib saddr type local return"),
        (Fault.SOURCE_RANGES_SKIP_PODS, "ip saddr 10.244.0.0/16 return"),
    ],
)
def test_some_are_spared_from_the_ranges(fault: Fault, spared: str) -> None:
    here = scene(fault)
    suffer(here, rule("services", "ip daddr @cluster-ips ip saddr != 10.244.0.0/16 mark set mark or 0x4000"))
    assert suffer(here, FIREWALL) == [rule(f"firewall-{WEB}", spared), FIREWALL]


def test_a_balancers_address_is_no_range() -> None:
    (made,) = suffer(scene(Fault.SOURCE_RANGES_FORGET_VIP), FIREWALL)
    assert made == rule(f"firewall-{WEB}", "ip saddr != { 10.0.0.0/8, 192.0.2.0/24 } drop")


def test_sets_of_endpoints_that_go_stay() -> None:
    here = scene(Fault.STALE_AFFINITY)
    assert suffer(here, f"delete set {T} affinity-{EP_A}", *STICKY) == STICKY
