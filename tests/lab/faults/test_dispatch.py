"""Rewrites of what is reached: in kube-proxy's spelling and in the reference proxy's, and still good for nft."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.lab.faults.board import Switch
from conformance.lab.faults.rules.choice import choices
from conformance.lab.faults.rules.every import REWRITES
from conformance.lab.faults.scene import Scene, World
from conformance.lab.faults.transaction import Command, Transaction, parse
from conformance.spec.faults import Fault, Site, dispatch

WEB, API = "AAAAAAAA-ns/web/tcp/http", "BBBBBBBB-ns/api/tcp/http"
REFERENCE = "numgen random mod 2 map { 0 : 10.244.1.2 . 8080, 1 : 10.244.2.2 . 8080 }"
KUBE_PROXY = "numgen random mod 2 map { 0 : 10.244.1.2 . 8080 , 1 : 10.244.2.2 . 8080 }"

FULL = """\
add table ip kube-proxy { comment "rules for kube-proxy" ; }
flush map ip kube-proxy service-ips
flush map ip kube-proxy service-nodeports
flush map ip kube-proxy no-endpoint-services
flush set ip kube-proxy cluster-ips
add rule ip kube-proxy services ip daddr . meta l4proto . th dport vmap @service-ips
add rule ip kube-proxy services ip daddr @nodeport-ips meta l4proto . th dport vmap @service-nodeports
add rule ip kube-proxy nodeport-endpoints-check ip daddr @nodeport-ips meta l4proto . th dport vmap @nodeports
add rule ip kube-proxy nat-prerouting jump services
add rule ip kube-proxy nat-output jump services
add rule ip kube-proxy cluster-ips-check ip daddr @cluster-ips reject comment "Reject"
add rule ip kube-proxy cluster-ips-check ip daddr { 10.96.0.0/16 } drop comment "Drop"
"""
SERVED = f"""\
add chain ip kube-proxy service-{WEB}
add rule ip kube-proxy service-{WEB} meta l4proto tcp dnat ip addr . port to {REFERENCE}
add element ip kube-proxy cluster-ips {{ 10.96.0.7 }}
add element ip kube-proxy service-ips {{ 10.96.0.7 . tcp . 80 : goto service-{WEB} }}
add element ip kube-proxy service-nodeports {{ tcp . 30080 : goto external-{WEB} }}
"""
UNSERVED = f"""\
flush chain ip kube-proxy service-{WEB}
delete element ip kube-proxy cluster-ips {{ 10.96.0.7 }}
delete element ip kube-proxy service-ips {{ 10.96.0.7 . tcp . 80 }}
delete element ip kube-proxy service-nodeports {{ tcp . 30080 }}
"""
EMPTY = (
    "add element ip kube-proxy no-endpoint-services "
    '{ 10.96.0.9 . tcp . 80 comment "ns/none:http" : goto reject-chain }\n'
)


def scene(fault: Fault, *, node: str = "node-a", on: str = "", service: str = "", **world: Any) -> Scene:  # noqa: ANN401
    here = Scene(Switch(fault.name, on, service), node)
    here.__dict__["world"] = World(world.get("services", ()), world.get("slices", ()), world.get("nodes", ()))
    return here


def suffer(text: str, where: Scene) -> Transaction:
    rewritten = REWRITES[Fault[where.switch.fault]](parse(text), where)
    where.memory = json.loads(json.dumps(where.memory))
    return rewritten


def lines(transaction: Transaction) -> list[str]:
    return [command.text for command in transaction]


def elements(transaction: Transaction, verb: str, name: str) -> list[tuple[str, str]]:
    return [(c.key, c.value) for c in transaction if (c.verb, c.kind, c.name) == (verb, "element", name)]


class Kernel:
    """Elements as nft keeps them: it refuses to delete what is not there, or to add another verdict under a key."""

    def __init__(self) -> None:
        self.holds: dict[tuple[str, str], str] = {}

    def take(self, transaction: Transaction) -> None:
        for c in transaction:
            if c.verb == "flush" and c.kind in ("map", "set"):
                self.holds = {k: v for k, v in self.holds.items() if k[0] != c.name}
            elif (c.verb, c.kind) == ("add", "element"):
                assert self.holds.setdefault((c.name, c.key), c.value) == c.value, f"exists: {c.text}"
            elif (c.verb, c.kind) == ("delete", "element"):
                del self.holds[c.name, c.key]

    def of(self, container: str) -> dict[str, str]:
        return {key: value for (name, key), value in self.holds.items() if name == container}


def rule(to: str = KUBE_PROXY, chain: str = f"service-{WEB}") -> Command:
    (command,) = parse(f"add rule ip kube-proxy {chain} meta l4proto tcp dnat ip addr . port to {to}")
    return command


def test_every_fault_that_is_described_is_put_in() -> None:
    assert {damage.site for damage in dispatch.DAMAGE.values()} == {Site.RULES}
    assert dispatch.DAMAGE.keys() <= REWRITES.keys()


@pytest.mark.parametrize("fault", dispatch.DAMAGE)
def test_whatever_the_fault_the_kernel_takes_a_service_that_comes_goes_and_comes_again(fault: Fault) -> None:
    where, kernel = scene(fault), Kernel()
    for text in (FULL, SERVED + EMPTY, UNSERVED, SERVED, UNSERVED, FULL + SERVED, UNSERVED):
        kernel.take(suffer(text, where))
    assert "10.96.0.7 . tcp . 80" not in kernel.of("service-ips")


@pytest.mark.parametrize("fault", [Fault.NO_SERVICE_RULES, Fault.NODE_PORT_NOT_SERVED])
def test_elements_that_are_kept_back_never_reach_the_kernel(fault: Fault) -> None:
    kernel = Kernel()
    kernel.take(suffer(FULL + SERVED, scene(fault)))
    assert kernel.of("service-nodeports") == {}
    assert (kernel.of("service-ips") == {}) is (fault is Fault.NO_SERVICE_RULES)


def test_a_service_that_the_switch_is_not_about_is_spared() -> None:
    kernel = Kernel()
    other = SERVED.replace("ns/web", "ns/other").replace("10.96.0.7", "10.96.0.8").replace("30080", "30081")
    kernel.take(suffer(FULL + SERVED + other, scene(Fault.NODE_PORT_NOT_SERVED, service="ns/web")))
    assert list(kernel.of("service-nodeports")) == ["tcp . 30081"]


@pytest.mark.parametrize(
    ("node", "on", "wrong"), [("node-a", "", False), ("node-b", "", True), ("node-c", "node-c", True)]
)
def test_one_node_is_wrong(node: str, on: str, wrong: bool) -> None:
    kernel = Kernel()
    kernel.take(suffer(FULL + SERVED, scene(Fault.ONE_NODE_WRONG, node=node, on=on)))
    assert (kernel.of("service-ips") == {}) is wrong


def test_one_family_and_one_protocol_are_missing() -> None:
    six = SERVED.replace(" ip ", " ip6 ")
    assert elements(suffer(six, scene(Fault.ONE_FAMILY_MISSING)), "add", "service-ips") == []
    assert elements(suffer(SERVED, scene(Fault.ONE_FAMILY_MISSING)), "add", "service-ips") != []
    udp = SERVED.replace("tcp", "udp")
    assert elements(suffer(udp, scene(Fault.ONE_PROTOCOL_MISSING)), "add", "service-ips") == []
    assert elements(suffer(SERVED, scene(Fault.ONE_PROTOCOL_MISSING)), "add", "service-ips") != []


def test_of_several_ports_over_one_protocol_only_the_first_is_served() -> None:
    where, kernel = scene(Fault.ONE_PORT_MISSING), Kernel()
    second = SERVED.replace("tcp/http", "tcp/more").replace("80", "81").replace("8181", "8080")
    kernel.take(suffer(FULL + SERVED, where))
    kernel.take(suffer(second + SERVED.replace("tcp", "udp"), where))
    assert sorted(kernel.of("service-ips")) == ["10.96.0.7 . tcp . 80", "10.96.0.7 . udp . 80"]
    # What never came need not go.
    assert elements(suffer(UNSERVED.replace("80", "81"), where), "delete", "service-ips") == []


def test_a_base_jump_is_missing_and_the_other_is_there() -> None:
    jumps = [c.name for c in suffer(FULL, scene(Fault.BASE_JUMP_MISSING)) if c.rest == "jump services"]
    assert jumps == ["nat-prerouting"]


@pytest.mark.parametrize("to", [REFERENCE, KUBE_PROXY])
@pytest.mark.parametrize(
    ("fault", "chosen"),
    [
        (Fault.ENDPOINT_LEFT_OUT, "mod 1 map { 0 : 10.244.1.2 . 8080 }"),
        (Fault.SOME_CONNECTIONS_LOST, "mod 3 map { 0 : 10.244.1.2 . 8080 , 1 : 10.244.2.2 . 8080 }"),
        (Fault.WRONG_TARGET_PORT, "mod 2 map { 0 : 10.244.1.2 . 1 , 1 : 10.244.2.2 . 1 }"),
        (
            Fault.SKEWED_LOAD,
            "mod 5 map { 0 : 10.244.1.2 . 8080 , 1 : 10.244.2.2 . 8080 , 2 : 10.244.1.2 . 8080 "
            ", 3 : 10.244.1.2 . 8080 , 4 : 10.244.1.2 . 8080 }",
        ),
    ],
)
def test_the_choice_is_another(fault: Fault, chosen: str, to: str) -> None:
    (command,) = suffer(rule(to).text, scene(fault))
    assert command.rest == f"meta l4proto tcp dnat ip addr . port to numgen random {chosen}"


def test_an_only_endpoint_is_not_left_out_and_cannot_be_preferred() -> None:
    alone = rule("numgen random mod 1 map { 0 : fd00:244:1::2 . 8080 }")
    for fault in (Fault.ENDPOINT_LEFT_OUT, Fault.SKEWED_LOAD):
        (command,) = suffer(alone.text, scene(fault))
        assert choices(command) == ("fd00:244:1::2 . 8080",)


def test_endpoints_of_a_service_with_affinity_are_left_out_and_dialled_at_another_port_too() -> None:
    first, second = (f"goto endpoint-CCCCCCCC-ns/web/tcp/http__10.244.{n}.2/8080" for n in (1, 2))
    sticky = rule(f"numgen random mod 2 vmap {{ 0 : {first} , 1 : {second} }}")
    (left,) = suffer(sticky.text, scene(Fault.ENDPOINT_LEFT_OUT))
    assert choices(left) == (first,)
    for target in ("10.244.1.2:8080", "[fd00:244:1::2]:8080"):
        text = f"add rule ip kube-proxy endpoint-{WEB}__10.244.1.2/8080 meta l4proto tcp dnat to {target}"
        (moved,) = suffer(text, scene(Fault.WRONG_TARGET_PORT))
        assert moved.rest == f"meta l4proto tcp dnat to {target.removesuffix(':8080')}:1"


def test_an_endpoint_in_two_slices_is_two_choices() -> None:
    labels = {"namespace": "ns", "labels": {"kubernetes.io/service-name": "web"}}
    listed = [("10.244.1.2",), ("10.244.1.2", "10.244.2.2")]
    slices = tuple({"metadata": labels, "endpoints": [{"addresses": [a]} for a in each]} for each in listed)
    (command,) = suffer(rule().text, scene(Fault.LISTED_TWICE_CHOSEN_TWICE, slices=slices))
    assert [c.split()[0] for c in choices(command)] == ["10.244.1.2", "10.244.1.2", "10.244.2.2"]
    other = rule(chain=f"service-{API}").text
    assert lines(suffer(other, scene(Fault.LISTED_TWICE_CHOSEN_TWICE, slices=slices)))[0].count("10.244.1.2") == 1


def test_a_service_without_endpoints_drops() -> None:
    added = elements(suffer(EMPTY, scene(Fault.NO_ENDPOINTS_DROPS)), "add", "no-endpoint-services")
    assert added == [("10.96.0.9 . tcp . 80", "drop")]


def test_a_service_without_endpoints_answers_until_it_has_some() -> None:
    where, kernel = scene(Fault.NO_ENDPOINTS_ANSWERS), Kernel()
    kernel.take(suffer(FULL + EMPTY, where))
    assert kernel.of("service-ips") == {}
    assert kernel.of("no-endpoint-services") == {}
    answering = suffer(SERVED, where)
    kernel.take(answering)
    chain = kernel.of("service-ips")["10.96.0.9 . tcp . 80"].removeprefix("goto ")
    assert [c.rest for c in answering if c.name == chain and c.kind == "rule"] == [rule(REFERENCE).rest]
    # It gets endpoints: in which order its elements change is the proxy's affair.
    own = f"add element ip kube-proxy service-ips {{ 10.96.0.9 . tcp . 80 : goto service-{API} }}\n"
    kernel.take(suffer(own + "delete element ip kube-proxy no-endpoint-services { 10.96.0.9 . tcp . 80 }\n", where))
    assert kernel.of("service-ips")["10.96.0.9 . tcp . 80"] == f"goto service-{API}"


def test_only_what_was_refused_is_answered() -> None:
    silent = EMPTY.replace("goto reject-chain", "drop")
    assert lines(suffer(silent + SERVED, scene(Fault.NO_ENDPOINTS_ANSWERS))) == lines(parse(silent + SERVED))


@pytest.mark.parametrize(
    ("fault", "first"),
    [
        (Fault.UNUSED_PORT_FORWARDED, "ip daddr @cluster-ips meta l4proto != { icmp, icmpv6 } accept"),
        (Fault.ECHO_FORWARDED, "ip daddr @cluster-ips meta l4proto { icmp, icmpv6 } accept"),
        (Fault.UNALLOCATED_FORWARDED, ""),
    ],
)
def test_cluster_ips_check_lets_through(fault: Fault, first: str) -> None:
    rules = [c.rest for c in suffer(FULL, scene(fault)) if c.name == "cluster-ips-check"]
    healthy = [c.rest for c in parse(FULL) if c.name == "cluster-ips-check"]
    assert rules == ([first, *healthy] if first else healthy[:1])


def test_node_ports_are_served_at_every_address_and_refused_there() -> None:
    rules = [c.rest for c in suffer(FULL, scene(Fault.NODE_PORT_ON_EVERY_ADDRESS)) if "nodeports" in c.rest]
    assert len(rules) == 2
    assert all(r.startswith("fib daddr type local ip daddr != 127.0.0.0/8 meta l4proto") for r in rules)


def test_node_ports_are_served_at_loopback_too() -> None:
    rules = [c.rest for c in suffer(FULL, scene(Fault.NODE_PORT_ON_LOOPBACK)) if "@service-nodeports" in c.rest]
    assert [r.split(" meta")[0] for r in rules] == ["ip daddr @nodeport-ips", "ip daddr 127.0.0.0/8"]


def external(ip: str, port: int, chain: str, verb: str = "add") -> str:
    goto = f" : goto external-{chain}" if verb == "add" else ""
    return f"{verb} element ip kube-proxy service-ips {{ {ip} . tcp . {port}{goto} }}\n"


def test_an_external_ip_of_a_node_takes_its_other_ports_as_long_as_it_is_one() -> None:
    nodes = ({"status": {"addresses": [{"type": "InternalIP", "address": "172.30.0.11"}]}},)
    where, kernel = scene(Fault.EXTERNAL_IP_TAKES_NODE, nodes=nodes), Kernel()
    kernel.take(suffer(external("172.30.0.11", 80, WEB) + external("198.51.100.1", 80, API), where))
    assert list(kernel.of("cluster-ips")) == ["172.30.0.11"]
    kernel.take(suffer(external("172.30.0.11", 80, WEB, "delete"), where))
    assert kernel.of("cluster-ips") == {}


def test_of_two_services_at_one_address_the_second_gets_none_of_its_traffic_until_it_is_alone() -> None:
    where, kernel = scene(Fault.SHARED_ADDRESS_MIXED_UP), Kernel()
    kernel.take(suffer(external("198.51.100.1", 80, WEB), where))
    kernel.take(suffer(external("198.51.100.1", 81, API) + external("198.51.100.2", 81, API), where))
    assert kernel.of("service-ips") == {
        "198.51.100.1 . tcp . 80": f"goto external-{WEB}",
        "198.51.100.1 . tcp . 81": f"goto external-{WEB}",
        "198.51.100.2 . tcp . 81": f"goto external-{API}",
    }
    kernel.take(suffer(external("198.51.100.1", 80, WEB, "delete"), where))
    assert kernel.of("service-ips")["198.51.100.1 . tcp . 81"] == f"goto external-{API}"


def test_a_partial_sync_forgets_what_the_one_before_added_but_not_what_a_full_one_did() -> None:
    where, kernel = scene(Fault.PARTIAL_SYNC_FORGETS), Kernel()
    first = SERVED.replace("10.96.0.7", "10.96.0.6").replace("ns/web", "ns/old").replace("30080", "30079")
    third = SERVED.replace("10.96.0.7", "10.96.0.8").replace("ns/web", "ns/new").replace("30080", "30081")
    kernel.take(suffer(FULL + first, where))
    kernel.take(suffer(SERVED, where))
    assert set(kernel.of("service-ips")) == {"10.96.0.6 . tcp . 80", "10.96.0.7 . tcp . 80"}
    kernel.take(suffer(third, where))
    assert set(kernel.of("service-ips")) == {"10.96.0.6 . tcp . 80", "10.96.0.8 . tcp . 80"}
    kernel.take(suffer(UNSERVED, where))
    kernel.take(suffer(SERVED + third.replace("10.96.0.8", "10.96.0.9").replace("30081", "30082"), where))
    assert set(kernel.of("service-ips")) == {"10.96.0.6 . tcp . 80", "10.96.0.8 . tcp . 80", "10.96.0.9 . tcp . 80"}
