"""What the table says, for Services that a recording does not have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from conformance.lab.proxy import names
from conformance.lab.proxy.config import Configuration, parse
from conformance.lab.proxy.desired import merge
from conformance.lab.proxy.endpoints import choose, targets
from conformance.lab.proxy.fragment import fragment
from conformance.lab.proxy.names import ServicePortName
from conformance.lab.proxy.place import Place, place
from conformance.lab.proxy.transaction import Existing, full
from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import DetectLocal
from conformance.model.kube import (
    Endpoint,
    EndpointPort,
    EndpointSlice,
    Ingress,
    IPMode,
    Node,
    Policy,
    Service,
    ServicePort,
    ServiceType,
)

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns

NODE = Node("n1", ("172.30.99.11", "fd99::11"), pod_cidrs=("10.244.1.0/24", "fd44:1::/64"), zone="z1")
HTTP = ServicePort("http", Protocol.TCP, 80, 8080)


def web(name: str = "web", ip: str = "10.96.0.1", **more: object) -> Service:
    return Service("default", name, ServiceType.LOAD_BALANCER, (HTTP,), (ip,), **more)  # type: ignore[arg-type]


def slice_of(*some: Endpoint, name: str = "web") -> EndpointSlice:
    listed = (EndpointPort("http", Protocol.TCP, 8080),)
    return EndpointSlice("default", f"{name}-{len(some)}", name, Family.IPV4, listed, some)


def here(configuration: Configuration | None = None) -> Place:
    addresses = ("127.0.0.1", "172.30.99.11", "172.31.98.1", "::1", "fd99::11")
    return place(Family.IPV4, NODE, configuration or Configuration(), (), addresses)


def chosen(service: Service, *some: Endpoint, external: bool = False) -> tuple[list[str], list[str], bool]:
    choice = choose(service, external, targets([slice_of(*some)], HTTP, "n1", Family.IPV4), "n1", "z1")
    return [t.ip for t in choice.cluster], [t.ip for t in choice.local], choice.anywhere


def test_terminating_endpoints_serve_when_nothing_else_does() -> None:
    going = Endpoint(("10.244.1.1",), "n1", ready=False, serving=True, terminating=True)
    gone = Endpoint(("10.244.1.2",), "n1", ready=False, serving=False, terminating=True)
    ready = Endpoint(("10.244.2.1",), "n2")
    both = web(internal_policy=Policy.LOCAL)
    assert chosen(web(), going, gone) == (["10.244.1.1"], [], True)
    assert chosen(web(), going, ready) == (["10.244.2.1"], [], True)
    assert chosen(both, going, ready) == ([], ["10.244.1.1"], True)
    assert chosen(both, gone) == ([], [], False)


def test_hints_count_when_all_have_them_and_one_is_ours() -> None:
    near = Endpoint(("10.244.1.1",), "n1", hint_zones=("z1",), hint_nodes=("n1",))
    zone = Endpoint(("10.244.2.1",), "n2", hint_zones=("z1",), hint_nodes=("n2",))
    far = Endpoint(("10.244.3.1",), "n3", hint_zones=("z3",), hint_nodes=("n3",))
    plain = Endpoint(("10.244.3.2",), "n3")
    by_zone = [Endpoint(e.addresses, e.node, hint_zones=e.hint_zones) for e in (near, zone, far)]
    assert chosen(web(), near, zone, far)[0] == ["10.244.1.1"]
    assert chosen(web(), *by_zone)[0] == ["10.244.1.1", "10.244.2.1"]
    assert len(chosen(web(), *by_zone, plain)[0]) == 4
    assert chosen(web(), zone, far)[0] == ["10.244.2.1"]
    assert chosen(web(), far)[0] == ["10.244.3.1"]


def test_reused_address_belongs_to_the_pod_that_runs() -> None:
    old = Endpoint(("10.244.1.1",), "n1", ready=False, serving=True, terminating=True)
    new = Endpoint(("10.244.1.1",), "n1")
    for order in ((old, new), (new, old)):
        (found,) = targets([slice_of(one) for one in order], HTTP, "n1", Family.IPV4)
        assert found.ready


def test_long_names_neither_break_a_transaction_nor_lose_uniqueness(netns: Netns) -> None:
    long = ServicePort("p" * 63, Protocol.SCTP, 80, 8080, 30080)
    twins = [
        Service("n" * 63, "s" * 62 + end, ServiceType.NODE_PORT, (long,), (f"fd00:96::{end}",), affinity_seconds=9)
        for end in "12"
    ]
    spot = place(Family.IPV6, NODE, Configuration(), (), ("fd99::11",))
    address = "2001:db8:1111:2222:3333:4444:5555:6666"
    listed = (EndpointPort(long.name, Protocol.SCTP, 65535),)
    served = EndpointSlice(twins[0].namespace, "x", twins[0].name, Family.IPV6, listed, (Endpoint((address,), "n1"),))
    whole, _ = merge(
        {twins[0].key: fragment(twins[0], [served], spot), twins[1].key: fragment(twins[1], [], spot)}, spot
    )
    netns.nft(full(whole, Existing()).text)
    base = ServicePortName(twins[0].namespace, twins[0].name, long.name, Protocol.SCTP)
    assert len(base.endpoint_base(address, 65535)) == 240
    assert base.endpoint_base(address, 65535) != base.endpoint_base(address, 65534)
    (rejected,) = (e for e in whole.elements[names.NO_ENDPOINT_SERVICES].values())
    assert len(rejected.comment) == 128


def test_two_services_with_one_address_do_not_mix() -> None:
    older = web("older", external_ips=("198.51.100.1",))
    younger = web("younger", "10.96.0.2", external_ips=("198.51.100.1",))
    served = slice_of(Endpoint(("10.244.1.1",), "n1"), name="younger")
    spot = here()
    parts = {older.key: fragment(older, [], spot), younger.key: fragment(younger, [served], spot)}
    whole, conflicts = merge(parts, spot)
    key = "198.51.100.1 . tcp . 80"
    assert key in whole.elements[names.NO_ENDPOINT_SERVICES]
    assert key not in whole.elements[names.SERVICE_IPS]
    assert [(c.winner, c.loser) for c in conflicts] == [("default/older", "default/younger")]
    assert "10.96.0.2 . tcp . 80" in whole.elements[names.SERVICE_IPS]


def test_services_that_kube_proxy_leaves_alone() -> None:
    other = web(labels={"service.kubernetes.io/service-proxy-name": "cilium"})
    headless = Service("default", "web", ServiceType.CLUSTER_IP, (HTTP,), ("None",))
    name = Service("default", "web", ServiceType.EXTERNAL_NAME, (HTTP,), external_name="example.org")
    for service in (other, headless, name):
        assert fragment(service, [slice_of(Endpoint(("10.244.1.1",)))], here()).elements == []


def test_load_balancer_that_proxies_is_not_short_circuited() -> None:
    both = web(ingress=(Ingress("203.0.113.1", IPMode.PROXY), Ingress("203.0.113.2")), source_ranges=("10.0.0.0/8",))
    part = fragment(both, [slice_of(Endpoint(("10.244.1.1",)))], here())
    keys = {(name, e.key) for name, e in part.elements}
    assert (names.SERVICE_IPS, "203.0.113.2 . tcp . 80") in keys
    assert (names.FIREWALL_IPS, "203.0.113.2 . tcp . 80") in keys
    assert not any("203.0.113.1" in key for _, key in keys)


def test_a_range_of_everything_is_no_firewall() -> None:
    open_to_all = web(ingress=(Ingress("203.0.113.1"),), source_ranges=("10.0.0.0/8", "0.0.0.0/0"))
    part = fragment(open_to_all, [slice_of(Endpoint(("10.244.1.1",)))], here())
    assert not any(chain.name.startswith("firewall-") for chain in part.chains)


def test_node_port_addresses() -> None:
    assert here().node_port_ips == ("172.30.99.11",)
    assert here(Configuration(node_port_addresses=("172.31.0.0/16",))).node_port_ips == ("172.31.98.1",)
    for everywhere in (("0.0.0.0/0",), ("fd99::/64",)):
        spot = here(Configuration(node_port_addresses=everywhere))
        assert spot.node_port_ips is None
        assert spot.listening_ips == ("172.30.99.11", "172.31.98.1")


def test_every_detect_local_mode_and_address_choice_is_taken_by_nft(netns: Netns) -> None:
    modes = [
        Configuration(detect_local=DetectLocal.NODE_CIDR, masquerade_bit=20),
        Configuration(detect_local=DetectLocal.BRIDGE_INTERFACE, bridge_interface="cni0"),
        Configuration(detect_local=DetectLocal.INTERFACE_NAME_PREFIX, interface_name_prefix="veth"),
        Configuration(node_port_addresses=("0.0.0.0/0", "::/0")),
        Configuration(masquerade_all=True),
        Configuration(),
    ]
    local = web(external_policy=Policy.LOCAL, external_ips=("198.51.100.1",))
    for configuration in modes:
        spot = here(configuration)
        part = fragment(local, [slice_of(Endpoint(("10.244.1.1",), "n1"))], spot)
        netns.nft(full(merge({"x": part}, spot)[0], Existing()).text)
        text = netns.run("nft", "list", "ruleset")
        match configuration.detect_local:
            case DetectLocal.NODE_CIDR:
                assert "ip saddr != 10.244.1.0/24 meta mark set meta mark | 0x00100000" in text
            case DetectLocal.BRIDGE_INTERFACE:
                assert 'iifname "cni0" goto service-' in text
            case DetectLocal.INTERFACE_NAME_PREFIX:
                assert 'iifname != "veth*" meta mark set' in text
            case DetectLocal.CLUSTER_CIDR:
                assert ("nodeport-ips" in text) is not bool(configuration.node_port_addresses)


def test_configuration_is_read_as_kube_proxy_does() -> None:
    read = parse(
        {
            "mode": "nftables",
            "detectLocalMode": "BridgeInterface",
            "detectLocal": {"bridgeInterface": "cni0"},
            "nodePortAddresses": ["10.0.0.0/8"],
            "nftables": {"masqueradeAll": True, "masqueradeBit": 0, "minSyncPeriod": "1m0.5s", "syncPeriod": "0s"},
            "bindAddress": "0.0.0.0",
        }
    )
    assert read == Configuration(
        detect_local=DetectLocal.BRIDGE_INTERFACE,
        bridge_interface="cni0",
        node_port_addresses=("10.0.0.0/8",),
        masquerade_all=True,
        masquerade_bit=0,
        min_sync_period=60.5,
        sync_period=30.0,
    )
