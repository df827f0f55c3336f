"""What cluster DNS must answer, on states by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import ClusterState
from conformance.model.kube import Endpoint, EndpointPort, EndpointSlice, Service, ServicePort, ServiceType
from conformance.model.outcome import Resolves, Unspecified
from conformance.oracle import expect_lookup
from tests.oracle.small import WEB

ZONE = "svc.cluster.local."
HEADLESS = Service(
    "ns", "db", ServiceType.CLUSTER_IP, (ServicePort("sql", Protocol.TCP, 5432, 5432),), cluster_ips=("None",)
)
ALIAS = Service("ns", "out", ServiceType.EXTERNAL_NAME, (), external_name="example.org")
UNNAMED = replace(WEB, name="plain", ports=(replace(WEB.ports[0], name=""),), cluster_ips=("10.96.0.9",))


def ends(family: Family, *endpoints: Endpoint) -> EndpointSlice:
    return EndpointSlice("ns", family.value, "db", family, (EndpointPort("sql", Protocol.TCP, 15432),), endpoints)


FOUR = ends(
    Family.IPV4,
    Endpoint(("10.244.1.11",), hostname="db-0"),
    Endpoint(("10.244.2.11",), hostname="db-1", ready=False),
    Endpoint(("10.244.3.11",), hostname="db-2", ready=False, terminating=True),
)
SIX = ends(Family.IPV6, Endpoint(("fd44:1::11",), hostname="db-0"))
NAMELESS = ends(Family.IPV4, Endpoint(("10.244.1.11",)))


def state(*slices: EndpointSlice, headless: Service = HEADLESS) -> ClusterState:
    services = {s.key: s for s in (WEB, headless, ALIAS, UNNAMED)}
    return ClusterState(services, {"ns/db": slices}, {})


@pytest.mark.parametrize(
    ("service", "question", "lines"),
    [
        ("web", f"A web.ns.{ZONE}", {"10.96.0.1"}),
        ("web", f"AAAA web.ns.{ZONE}", {"fd00:96::1"}),
        ("web", f"A WEB.ns.{ZONE}", {"10.96.0.1"}),
        ("web", f"CNAME web.ns.{ZONE}", set()),
        ("web", f"SRV _http._tcp.web.ns.{ZONE}", {f"80 web.ns.{ZONE}"}),
        ("web", f"SRV _http._udp.web.ns.{ZONE}", set()),
        ("web", f"SRV _other._tcp.web.ns.{ZONE}", set()),
        ("web", f"A nobody.web.ns.{ZONE}", set()),
        ("web", f"A a.b.c.web.ns.{ZONE}", set()),
        ("plain", f"AAAA plain.ns.{ZONE}", set()),  # an IPv4 Service
        ("plain", f"SRV _._tcp.plain.ns.{ZONE}", set()),
        ("absent", f"A absent.ns.{ZONE}", set()),
        ("db", f"A db.ns.{ZONE}", {"10.244.1.11"}),
        ("db", f"AAAA db.ns.{ZONE}", {"fd44:1::11"}),
        ("db", f"A db-0.db.ns.{ZONE}", {"10.244.1.11"}),
        ("db", f"AAAA db-0.db.ns.{ZONE}", {"fd44:1::11"}),
        ("db", f"A db-1.db.ns.{ZONE}", set()),
        ("db", f"CNAME db-0.db.ns.{ZONE}", set()),
        ("db", f"SRV _sql._tcp.db.ns.{ZONE}", {f"15432 db-0.db.ns.{ZONE}"}),
        ("out", f"A out.ns.{ZONE}", {"CNAME example.org."}),
        ("out", f"CNAME out.ns.{ZONE}", {"CNAME example.org."}),
        ("out", f"A below.out.ns.{ZONE}", set()),
    ],
)
def test_answers(service: str, question: str, lines: set[str]) -> None:
    expectation = expect_lookup(state(FOUR, SIX), f"ns/{service}", question)
    assert expectation.outcome == Resolves(frozenset(lines))
    assert expectation.reasons


def test_addresses_that_are_not_ready_are_published_on_demand() -> None:
    eager = state(FOUR, SIX, headless=replace(HEADLESS, publish_not_ready=True))
    every = frozenset({"10.244.1.11", "10.244.2.11", "10.244.3.11"})
    assert expect_lookup(eager, "ns/db", f"A db.ns.{ZONE}").outcome == Resolves(every)
    assert expect_lookup(eager, "ns/db", f"A db-1.db.ns.{ZONE}").outcome == Resolves(frozenset({"10.244.2.11"}))
    assert expect_lookup(state(), "ns/db", f"A db.ns.{ZONE}").outcome == Resolves(frozenset())
    assert expect_lookup(state(), "ns/db", f"SRV _sql._tcp.db.ns.{ZONE}").outcome == Resolves(frozenset())


@pytest.mark.parametrize(
    ("service", "question"),
    [
        ("db", f"SRV _sql._tcp.db.ns.{ZONE}"),  # an endpoint without a hostname has a name of the server's own making
        ("db", f"A 10-244-1-11.db.ns.{ZONE}"),
        ("web", f"SRV web.ns.{ZONE}"),
        ("web", f"A _http._tcp.web.ns.{ZONE}"),
        ("web", f"TXT web.ns.{ZONE}"),
        ("web", "A example.org."),
    ],
)
def test_what_the_specification_does_not_say(service: str, question: str) -> None:
    assert isinstance(expect_lookup(state(NAMELESS), f"ns/{service}", question).outcome, Unspecified)
