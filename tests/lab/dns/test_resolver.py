"""The Kubernetes DNS specification, record by record, on the pure resolver."""

from __future__ import annotations

import ipaddress
from typing import Any

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdatatype
import dns.reversename
import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.dns.records import Zones
from conformance.lab.dns.resolver import PAYLOAD, respond, unreadable, wire
from conformance.lab.dns.view import View

Json = dict[str, Any]

ZONES = Zones(dns.name.from_text("cluster.local"))


def service(name: str, namespace: str = "n", **spec: object) -> Json:
    return {"metadata": {"name": name, "namespace": namespace}, "spec": {"type": "ClusterIP", **spec}}


def piece(name: str, of: str, endpoints: list[Json], *, family: str = "IPv4", ports: list[Json] | None = None) -> Json:
    return {
        "metadata": {"name": name, "namespace": "n", "labels": {"kubernetes.io/service-name": of}},
        "addressType": family,
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}] if ports is None else ports,
        "endpoints": endpoints,
    }


def endpoint(address: str, *, ready: bool | None = True, hostname: str = "") -> Json:
    made: Json = {"addresses": [address], "conditions": {} if ready is None else {"ready": ready}}
    return made | ({"hostname": hostname} if hostname else {})


PORTS = [{"name": "http", "port": 80, "protocol": "TCP"}, {"name": "dns", "port": 53, "protocol": "UDP"}, {"port": 9}]


@pytest.fixture
def view() -> View:
    made = View()
    made.on_namespace("ADDED", {"metadata": {"name": "n"}})
    ips = ["10.96.0.7", "fd00:96::7"]
    made.on_service("ADDED", service("web", clusterIP=ips[0], clusterIPs=ips, ports=PORTS))
    made.on_service("ADDED", service("pets", clusterIP="None", clusterIPs=["None"]))
    made.on_service("ADDED", service("empty", clusterIP="None", clusterIPs=["None"]))
    made.on_service("ADDED", service("out", type="ExternalName", externalName="www.example.com"))
    made.on_service("ADDED", service("in", type="ExternalName", externalName="web.n.svc.cluster.local"))
    made.on_service("ADDED", service("loop", type="ExternalName", externalName="loop.n.svc.cluster.local"))
    four = [endpoint("10.244.1.5", hostname="rex"), endpoint("10.244.1.6"), endpoint("10.244.1.7", ready=False)]
    made.on_slice("ADDED", piece("pets-4", "pets", [*four, endpoint("10.244.1.8", ready=None)]))
    made.on_slice("ADDED", piece("pets-6", "pets", [endpoint("fd44:1::5", hostname="rex")], family="IPv6"))
    made.on_slice("ADDED", piece("empty-4", "empty", [endpoint("10.244.1.9", ready=False)]))
    made.on_slice("ADDED", piece("web-4", "web", [endpoint("10.244.1.5")]))
    return made


def ask(view: View, name: str, kind: str = "A") -> tuple[str, list[str]]:
    response = respond(view, ZONES, dns.message.make_query(name, kind))
    answers = sorted(rdata.to_text() for rrset in response.answer for rdata in rrset)
    return dns.rcode.to_text(response.rcode()), answers


@pytest.mark.parametrize(
    ("name", "kind", "answers"),
    [
        ("web.n.svc.cluster.local", "A", ["10.96.0.7"]),
        ("web.n.svc.cluster.local", "AAAA", ["fd00:96::7"]),
        ("WEB.N.Svc.Cluster.LOCAL", "A", ["10.96.0.7"]),
        ("web.n.svc.cluster.local", "ANY", ["10.96.0.7", "fd00:96::7"]),
        ("_http._tcp.web.n.svc.cluster.local", "SRV", ["0 100 80 web.n.svc.cluster.local."]),
        ("_DNS._UDP.web.n.svc.cluster.local", "SRV", ["0 100 53 web.n.svc.cluster.local."]),
        ("pets.n.svc.cluster.local", "A", ["10.244.1.5", "10.244.1.6", "10.244.1.8"]),
        ("pets.n.svc.cluster.local", "AAAA", ["fd44:1::5"]),
        ("rex.pets.n.svc.cluster.local", "A", ["10.244.1.5"]),
        ("rex.pets.n.svc.cluster.local", "AAAA", ["fd44:1::5"]),
        ("10-244-1-6.pets.n.svc.cluster.local", "A", ["10.244.1.6"]),
        (
            "_http._tcp.pets.n.svc.cluster.local",
            "SRV",
            [
                "0 33 8080 10-244-1-6.pets.n.svc.cluster.local.",
                "0 33 8080 10-244-1-8.pets.n.svc.cluster.local.",
                "0 33 8080 rex.pets.n.svc.cluster.local.",
            ],
        ),
        ("out.n.svc.cluster.local", "A", ["www.example.com."]),
        ("out.n.svc.cluster.local", "CNAME", ["www.example.com."]),
        ("in.n.svc.cluster.local", "A", ["10.96.0.7", "web.n.svc.cluster.local."]),
        ("7.0.96.10.in-addr.arpa", "PTR", ["web.n.svc.cluster.local."]),
        (dns.reversename.from_address("fd00:96::7").to_text(), "PTR", ["web.n.svc.cluster.local."]),
        ("5.1.244.10.in-addr.arpa", "PTR", ["rex.pets.n.svc.cluster.local."]),
        ("dns-version.cluster.local", "TXT", ['"1.1.0"']),
        ("10-0-0-1.n.pod.cluster.local", "A", ["10.0.0.1"]),
        ("fd00--1.n.pod.cluster.local", "AAAA", ["fd00::1"]),
    ],
)
def test_records(view: View, name: str, kind: str, answers: list[str]) -> None:
    assert ask(view, name, kind) == ("NOERROR", answers)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("web.n.svc.cluster.local", "MX"),
        ("n.svc.cluster.local", "A"),
        ("svc.cluster.local", "A"),
        ("_tcp.web.n.svc.cluster.local", "SRV"),
        ("rex.pets.n.svc.cluster.local", "SRV"),
        ("cluster.local", "A"),
        ("10-0-0-1.n.pod.cluster.local", "AAAA"),
    ],
)
def test_names_without_such_records_are_no_data_with_soa(view: View, name: str, kind: str) -> None:
    response = respond(view, ZONES, dns.message.make_query(name, kind))
    assert (response.rcode(), response.answer) == (dns.rcode.NOERROR, [])
    assert [rrset.rdtype for rrset in response.authority] == [dns.rdatatype.SOA]


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("nobody.n.svc.cluster.local", "A"),
        ("web.elsewhere.svc.cluster.local", "A"),
        ("elsewhere.svc.cluster.local", "A"),
        ("www.example.com.n.svc.cluster.local", "A"),
        ("example.com.cluster.local", "A"),
        ("empty.n.svc.cluster.local", "A"),
        ("10-244-1-7.pets.n.svc.cluster.local", "A"),
        ("rex.web.n.svc.cluster.local", "A"),
        ("_sctp.web.n.svc.cluster.local", "SRV"),
        ("_nope._tcp.web.n.svc.cluster.local", "SRV"),
        ("_http._udp.web.n.svc.cluster.local", "SRV"),
        ("_._tcp.web.n.svc.cluster.local", "SRV"),
        ("http._tcp.web.n.svc.cluster.local", "SRV"),
        ("10-0-0-1.elsewhere.pod.cluster.local", "A"),
        ("no-address.n.pod.cluster.local", "A"),
        ("7.1.244.10.in-addr.arpa", "PTR"),
        ("300.1.244.10.in-addr.arpa", "PTR"),
        ("1.ip6.arpa", "PTR"),
    ],
)
def test_names_that_do_not_exist_are_nxdomain_with_soa(view: View, name: str, kind: str) -> None:
    response = respond(view, ZONES, dns.message.make_query(name, kind))
    assert (response.rcode(), response.answer) == (dns.rcode.NXDOMAIN, [])
    [soa] = response.authority
    assert soa.rdtype == dns.rdatatype.SOA
    assert dns.name.from_text(name).is_subdomain(soa.name)


@pytest.mark.parametrize(("name", "kind"), [("example.com", "A"), (".", "NS"), ("cluster.local", "AXFR")])
def test_other_zones_and_transfers_are_refused(view: View, name: str, kind: str) -> None:
    response = respond(view, ZONES, dns.message.make_query(name, kind))
    assert response.rcode() == dns.rcode.REFUSED
    assert not response.flags & dns.flags.AA


def test_srv_brings_the_addresses_of_its_targets(view: View) -> None:
    response = respond(view, ZONES, dns.message.make_query("_http._tcp.web.n.svc.cluster.local", "SRV"))
    assert sorted(r.to_text() for rrset in response.additional for r in rrset) == ["10.96.0.7", "fd00:96::7"]


def test_an_external_name_that_names_itself_ends(view: View) -> None:
    response = respond(view, ZONES, dns.message.make_query("loop.n.svc.cluster.local", "A"))
    assert len(response.answer) < 20


def test_the_ttl_is_within_5_and_30_seconds(view: View) -> None:
    response = respond(view, ZONES, dns.message.make_query("nobody.n.svc.cluster.local", "A"))
    response.answer += respond(view, ZONES, dns.message.make_query("web.n.svc.cluster.local", "A")).answer
    assert {5 <= rrset.ttl <= 30 for rrset in (*response.answer, *response.authority)} == {True}


def test_other_opcodes_and_edns_versions_are_not_implemented(view: View) -> None:
    notify = dns.message.make_query("cluster.local", "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    assert respond(view, ZONES, notify).rcode() == dns.rcode.NOTIMP
    newer = dns.message.make_query("cluster.local", "SOA", use_edns=1)
    assert respond(view, ZONES, newer).rcode() == dns.rcode.BADVERS


def test_a_packet_that_is_no_query_gets_formerr_and_a_response_silence() -> None:
    assert (unreadable(b"\x12\x34" + bytes(10)) or b"")[:4] == b"\x12\x34\x80\x01"
    assert unreadable(b"\x12\x34\x80" + bytes(9)) is None
    assert unreadable(b"\x12\x34") is None


@pytest.mark.parametrize(("payload", "room"), [(None, 512), (100, 512), (800, 800), (4096, PAYLOAD)])
def test_a_long_answer_is_cut_over_udp_and_whole_over_tcp(view: View, payload: int | None, room: int) -> None:
    many = [endpoint(f"10.244.2.{n}") for n in range(1, 101)]
    view.on_slice("ADDED", piece("pets-more", "pets", many))
    edns = {} if payload is None else {"use_edns": 0, "payload": payload}
    query = dns.message.make_query("pets.n.svc.cluster.local", "A", **edns)  # type: ignore[arg-type]
    response = respond(view, ZONES, query)
    cut = wire(response, query, stream=False)
    assert len(cut) <= room
    assert dns.message.from_wire(cut).flags & dns.flags.TC
    whole = dns.message.from_wire(wire(response, query, stream=True))
    assert not whole.flags & dns.flags.TC
    assert len(whole.answer[0]) == 103


def test_a_service_that_goes_takes_its_names_along(view: View) -> None:
    view.on_service("DELETED", service("web"))
    assert ask(view, "web.n.svc.cluster.local")[0] == "NXDOMAIN"
    assert ask(view, "7.0.96.10.in-addr.arpa", "PTR")[0] == "NXDOMAIN"
    view.on_namespace("DELETED", {"metadata": {"name": "n"}})
    assert ask(view, "n.svc.cluster.local")[0] == "NXDOMAIN"


def test_a_changed_cluster_ip_moves_the_ptr(view: View) -> None:
    view.on_service("MODIFIED", service("web", clusterIP="10.96.0.8", clusterIPs=["10.96.0.8"]))
    assert ask(view, "7.0.96.10.in-addr.arpa", "PTR")[0] == "NXDOMAIN"
    assert ask(view, "8.0.96.10.in-addr.arpa", "PTR") == ("NOERROR", ["web.n.svc.cluster.local."])


def test_a_slice_can_change_its_service(view: View) -> None:
    view.on_slice("MODIFIED", piece("pets-4", "empty", [endpoint("10.244.1.5")]))
    assert ask(view, "empty.n.svc.cluster.local") == ("NOERROR", ["10.244.1.5"])
    assert ask(view, "pets.n.svc.cluster.local", "A") == ("NOERROR", [])


Addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)).map(str)
Endpoints = st.lists(st.tuples(Addresses, st.booleans(), st.sampled_from(["", "a", "B"])), max_size=8)


@given(endpoints=Endpoints)
def test_headless_forward_and_reverse_agree(endpoints: list[tuple[str, bool, str]]) -> None:
    view = View()
    view.on_service("ADDED", service("h", clusterIP="None", clusterIPs=["None"]))
    for n, (address, ready, hostname) in enumerate(endpoints):
        family = f"IPv{ipaddress.ip_address(address).version}"
        view.on_slice("ADDED", piece(f"h-{n}", "h", [endpoint(address, ready=ready, hostname=hostname)], family=family))
    ready_addresses = {ipaddress.ip_address(address) for address, ready, _ in endpoints if ready}
    found = [a for kind in ("A", "AAAA") for a in ask(view, "h.n.svc.cluster.local", kind)[1]]
    assert {ipaddress.ip_address(a) for a in found} == ready_addresses
    assert (ask(view, "h.n.svc.cluster.local")[0] == "NXDOMAIN") == (not ready_addresses)
    for ip in ready_addresses:
        rcode, names = ask(view, f"{ip.reverse_pointer}.", "PTR")
        assert rcode == "NOERROR"
        for name in names:
            forward = ask(view, name, "A" if ip.version == 4 else "AAAA")[1]
            assert ip in map(ipaddress.ip_address, forward)


Labels = st.text("abc_-09.", min_size=1, max_size=12).filter(lambda t: ".." not in t and t.strip(".") == t)


@given(labels=st.lists(Labels, max_size=4), kind=st.sampled_from(["A", "AAAA", "SRV", "PTR", "ANY", "CNAME", "TXT"]))
def test_every_question_has_one_sound_answer(labels: list[str], kind: str) -> None:
    view = View()
    view.on_namespace("ADDED", {"metadata": {"name": "a"}})
    view.on_service("ADDED", service("a", "a", clusterIP="10.96.0.1", ports=PORTS))
    query = dns.message.make_query(".".join([*labels, "svc.cluster.local"]), kind)
    response = respond(view, ZONES, query)
    assert response.rcode() in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
    assert bool(response.answer) != any(rrset.rdtype == dns.rdatatype.SOA for rrset in response.authority)
    assert dns.message.from_wire(wire(response, query, stream=False)).question == query.question
