"""What goes stays: transactions of both proxies' spelling, followed from one to the next."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from conformance.lab.faults.board import Switch
from conformance.lab.faults.rules.every import REWRITES
from conformance.lab.faults.rules.registry import Refused
from conformance.lab.faults.scene import Json, Scene, World
from conformance.lab.faults.transaction import parse, render
from conformance.spec.faults import Fault

T = "ip kube-proxy"
WEB, MORE, OTHER = "ABCDEFGH-ns/web/tcp/http", "BCDEFGHI-ns/web/tcp/more", "CDEFGHIJ-ns/other/tcp/http"


def scene(fault: Fault, *services: Json, service: str = "", slices: tuple[Json, ...] = ()) -> Scene:
    """A scene whose API has ``services``."""
    made = Scene(Switch(fault.name, service=service), "node-a")
    made.__dict__["world"] = World(services, slices, ())
    return made


def api_service(name: str, *cluster_ips: str, **spec: object) -> Json:
    return {"metadata": {"namespace": "ns", "name": name}, "spec": {"clusterIPs": list(cluster_ips), **spec}}


def suffer(where: Scene, *lines: str) -> list[str]:
    """What reaches the kernel of a transaction of ``lines``."""
    return render(REWRITES[Fault[where.switch.fault]](parse("\n".join(lines)), where)).splitlines()


def entry(verb: str, key: str, base: str = "", container: str = "service-ips", prefix: str = "service") -> str:
    return f"{verb} element {T} {container} {{ {key}{f' : goto {prefix}-{base}' if base else ''} }}"


FIRST = (
    f"add chain {T} service-{WEB}",
    f"add rule {T} service-{WEB} meta l4proto tcp dnat to 10.0.0.1:80",
    f"add chain {T} service-{MORE}",
    entry("add", "10.96.0.1 . tcp . 80", WEB),
    entry("add", "10.96.0.1 . tcp . 81", MORE),
    entry("add", "198.51.100.1 . tcp . 80", WEB, prefix="external"),
    entry("add", "tcp . 30080", WEB, "service-nodeports", "external"),
)


def test_what_only_comes_passes_unchanged() -> None:
    assert suffer(scene(Fault.STALE_SERVICE), *FIRST) == list(FIRST)


def test_a_deleted_service_stays_with_its_chains() -> None:
    where = scene(Fault.STALE_SERVICE)
    suffer(where, *FIRST)
    gone = (
        entry("delete", "10.96.0.1 . tcp . 80"),
        entry("delete", "10.96.0.1 . tcp . 81"),
        entry("delete", "198.51.100.1 . tcp . 80"),
        entry("delete", "tcp . 30080", container="service-nodeports"),
        f"delete element {T} cluster-ips {{ 10.96.0.1 }}",
        f"flush chain {T} service-{WEB}",
    )
    assert suffer(where, *gone) == [f"delete element {T} cluster-ips {{ 10.96.0.1 }}"]
    assert suffer(where, f"delete chain {T} service-{WEB}", f"delete chain {T} service-{OTHER}") == [
        f"delete chain {T} service-{OTHER}"
    ]


def test_a_service_that_the_api_still_has_is_not_stale() -> None:
    where = scene(Fault.STALE_SERVICE, api_service("web", "10.96.0.1"))
    suffer(where, *FIRST)
    gone = [entry("delete", "10.96.0.1 . tcp . 80"), entry("delete", "10.96.0.1 . tcp . 81")]
    gone += [
        entry("delete", "198.51.100.1 . tcp . 80"),
        entry("delete", "tcp . 30080", container="service-nodeports"),
    ]
    assert suffer(where, *gone) == gone


def test_the_heir_of_an_address_does_not_get_it() -> None:
    where = scene(Fault.STALE_SERVICE)
    suffer(where, entry("add", "10.96.0.1 . tcp . 80", WEB))
    taken = (entry("delete", "10.96.0.1 . tcp . 80"), entry("add", "10.96.0.1 . tcp . 80", OTHER))
    assert suffer(where, *taken) == []
    assert suffer(where, entry("delete", "10.96.0.1 . tcp . 80")) == []


def test_a_full_sync_finds_what_stayed_again() -> None:
    where = scene(Fault.STALE_SERVICE)
    suffer(where, *FIRST)
    full = (
        f"add table {T}",
        f"flush chain {T} service-{WEB}",
        f"flush map {T} service-ips",
        f"flush map {T} service-nodeports",
        entry("add", "10.96.0.9 . tcp . 80", OTHER),
    )
    kept = suffer(where, *full)
    assert f"flush chain {T} service-{WEB}" not in kept
    assert kept.index(f"flush map {T} service-ips") < kept.index(entry("add", "10.96.0.1 . tcp . 80", WEB))
    assert entry("add", "10.96.0.9 . tcp . 80", OTHER) in kept


def test_a_port_that_goes_stays_while_its_address_does() -> None:
    where = scene(Fault.STALE_PORT)
    suffer(where, *FIRST)
    lines = (
        entry("delete", "10.96.0.1 . tcp . 81"),
        f"flush chain {T} service-{MORE}",
        entry("delete", "198.51.100.1 . tcp . 80"),
    )
    assert suffer(where, *lines) == [lines[2]]


def test_a_chain_that_is_filled_again_is_emptied_first() -> None:
    where = scene(Fault.STALE_PORT)
    suffer(where, *FIRST)
    lines = (
        entry("delete", "10.96.0.1 . tcp . 80"),
        entry("add", "10.96.0.1 . tcp . 8080", WEB),
        f"flush chain {T} service-{WEB}",
        f"add rule {T} service-{WEB} drop",
    )
    assert suffer(where, *lines) == list(lines[1:])


@pytest.mark.parametrize(
    ("fault", "stays"),
    [
        (Fault.OLD_ADDRESS_SERVED, [False, True]),
        (Fault.OLD_NODE_PORT_SERVED, [True, False]),
        (Fault.STALE_PORT, [True, True]),
    ],
)
def test_addresses_and_node_ports(fault: Fault, stays: list[bool]) -> None:
    where = scene(fault)
    suffer(where, *FIRST)
    gone = [
        entry("delete", "198.51.100.1 . tcp . 80"),
        entry("delete", "tcp . 30080", container="service-nodeports"),
    ]
    assert [line in suffer(where, line) for line in gone] == stays


def test_a_service_without_endpoints_gives_nothing_up() -> None:
    where = scene(Fault.OLD_ADDRESS_SERVED)
    suffer(where, *FIRST)
    closed = (
        entry("delete", "10.96.0.1 . tcp . 80"),
        entry("delete", "10.96.0.1 . tcp . 81"),
        f'add element {T} no-endpoint-services {{ 10.96.0.1 . tcp . 80 comment "ns/web:http" : goto reject-chain }}',
        f'add element {T} no-endpoint-services {{ 10.96.0.1 . tcp . 81 comment "ns/web:more" : goto reject-chain }}',
    )
    assert suffer(where, *closed) == list(closed)


def test_a_family_that_is_given_up_stays_until_it_comes_back() -> None:
    where = scene(Fault.STALE_FAMILY, api_service("web", "fd00::1"))
    suffer(where, entry("add", "10.96.0.1 . tcp . 80", WEB))
    assert suffer(where, entry("delete", "10.96.0.1 . tcp . 80")) == []
    again = entry("add", "10.96.0.1 . tcp . 80", WEB)
    assert suffer(where, again) == [again]
    assert where.memory["stale"]["service-ips"] == {}


def test_a_family_that_goes_with_its_service_does_not_stay() -> None:
    where = scene(Fault.STALE_FAMILY)
    suffer(where, entry("add", "10.96.0.1 . tcp . 80", WEB))
    gone = entry("delete", "10.96.0.1 . tcp . 80")
    assert suffer(where, gone) == [gone]


def test_another_service_does_not_suffer() -> None:
    where = scene(Fault.OLD_ADDRESS_SERVED, service="other")
    suffer(where, *FIRST, entry("add", "10.96.0.9 . tcp . 80", OTHER))
    gone = [entry("delete", "198.51.100.1 . tcp . 80"), entry("delete", "10.96.0.9 . tcp . 80")]
    assert suffer(where, *gone) == gone[:1]


def test_a_conflict_stops_only_transactions_that_have_it() -> None:
    rivals = [api_service(n, externalIPs=["192.0.2.1"], ports=[{"port": 80}]) for n in ("web", "other")]
    where = scene(Fault.CONFLICT_STOPS_SYNC, *rivals, api_service("third", "10.96.0.3", ports=[{"port": 80}]))
    third = f"add chain {T} service-DEFGHIJK-ns/third/tcp/http"
    assert suffer(where, third) == [third]
    with pytest.raises(Refused):
        suffer(where, third, *FIRST)


@pytest.mark.parametrize(
    "one",
    [
        {"addressType": "FQDN", "endpoints": [{"addresses": ["a.example"]}], "ports": [{"port": 80}]},
        {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": []},
        {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"name": "http"}]},
        {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}] * 2, "ports": [{"port": 80}]},
    ],
)
def test_an_odd_slice_stops_the_transaction(one: Json) -> None:
    labelled = {"metadata": {"namespace": "ns", "labels": {"kubernetes.io/service-name": "web"}}, **one}
    with pytest.raises(Refused):
        suffer(scene(Fault.BAD_OBJECT_STOPS_OTHERS, slices=(labelled,)), *FIRST)


def test_ordinary_slices_stop_nothing() -> None:
    empty: Json = {"addressType": "IPv4", "endpoints": [], "ports": []}
    full: Json = {"addressType": "IPv4", "endpoints": [{"addresses": ["10.0.0.1"]}], "ports": [{"port": 80}]}
    owner = {"metadata": {"namespace": "ns", "labels": {"kubernetes.io/service-name": "web"}}}
    where = scene(Fault.BAD_OBJECT_STOPS_OTHERS, slices=(owner | empty, owner | full))
    assert suffer(where, *FIRST) == list(FIRST)


@pytest.mark.parametrize(("length", "refused"), [(127, False), (128, True)])
def test_the_longest_comment_stops_the_transaction(length: int, refused: bool) -> None:
    where, comment = scene(Fault.BAD_OBJECT_STOPS_OTHERS), "ns/".ljust(length, "x")
    line = f'add element {T} no-endpoint-services {{ 10.96.0.1 . tcp . 80 comment "{comment}" : drop }}'
    if not refused:
        assert suffer(where, line) == [line]
        return
    with pytest.raises(Refused):
        suffer(where, line)


def test_flows_are_forgotten_after_a_change_of_endpoints_alone() -> None:
    where = scene(Fault.FLOWS_FORGOTTEN)
    suffer(where, f"delete element {T} cluster-ips {{ 10.96.0.1 }}")
    assert not where.afterwards
    assert suffer(where, *FIRST) == list(FIRST)
    assert len(where.afterwards) == 1


def test_flows_are_forgotten_when_a_proxy_starts_that_is_not_the_first() -> None:
    where, start = scene(Fault.RESTART_FORGETS_FLOWS), f"add table {T}"
    suffer(where, start, *FIRST)
    suffer(where, *FIRST)
    assert not where.afterwards
    assert suffer(where, start, *FIRST) == [start, *FIRST]
    assert len(where.afterwards) == 1


def test_a_table_that_was_there_is_not_written_once_it_is_gone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    listing = tmp_path / "listing"
    nft = tmp_path / "nft"
    nft.write_text(f"#!/bin/sh\ncat {listing}\n")
    nft.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    where = scene(Fault.DELETED_RULES_STAY_AWAY)
    listing.write_text("")
    assert suffer(where, *FIRST) == list(FIRST), "the first time there is none"
    listing.write_text(f"table {T}\ntable ip other\n")
    assert suffer(where, *FIRST) == list(FIRST)
    listing.write_text("table ip other\n")
    assert suffer(where, *FIRST) == []


def test_flows_are_forgotten_by_the_address_of_the_port_that_changes() -> None:
    where = scene(Fault.FLOWS_FORGOTTEN_BY_ADDRESS)
    suffer(where, entry("add", "10.96.0.1 . udp . 53", WEB))
    suffer(where, f"flush chain {T} service-{OTHER}")
    assert not where.afterwards
    suffer(where, f"flush chain {T} service-{WEB}")
    assert len(where.afterwards) == 1


def test_source_ranges_are_checked_for_every_packet() -> None:
    given = (
        f"add rule {T} filter-prerouting-pre-dnat ct state new jump firewall-check",
        f"add rule {T} filter-input ct state new jump service-endpoints-check",
    )
    assert suffer(scene(Fault.ESTABLISHED_CHECKED), *given) == [
        f"add rule {T} filter-prerouting-pre-dnat jump firewall-check",
        given[1],
    ]


def test_base_chains_of_nat_come_later_in_every_transaction() -> None:
    hook = "{ type nat hook prerouting priority -100 ; }"
    lines = (f"add chain {T} nat-prerouting {hook}", f"add chain {T} filter-input {hook.replace('nat', 'filter')}")
    assert suffer(scene(Fault.BASE_CHAINS_MOVED), *lines) == [lines[0].replace("-100", "-95"), lines[1]]


def test_every_third_transaction_fails() -> None:
    where = scene(Fault.SYNCS_FAIL_NOW_AND_THEN)
    suffer(where, *FIRST)
    suffer(where, *FIRST)
    with pytest.raises(Refused):
        suffer(where, *FIRST)
    assert suffer(where, *FIRST) == list(FIRST)
