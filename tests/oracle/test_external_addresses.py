"""Addresses that the kit writes into a status itself, and health checks that are asked for at the wrong address."""

from __future__ import annotations

from dataclasses import replace

from conformance.model.addresses import Family, Protocol
from conformance.model.case import Says, health_check, host, service
from conformance.model.case.refs import DestinationRef
from conformance.model.case.story import Axes, Case, Level, dial
from conformance.model.cluster import ProxyMode
from conformance.model.kube import Ingress, IPMode, Policy, ServiceType
from conformance.model.outcome import Outcome, Refused, Tells, Unanswered, Unspecified
from conformance.oracle import expect_cell
from conformance.plan import imagine
from conformance.plan.bind import bind
from conformance.plan.cells import cells_of_case
from tests.oracle.small import TWO, VIP, WEB, cluster
from tests.oracle.small import dial as dialled

NOBODYS = "198.51.100.7"


def _proxied(ip: str) -> Outcome:
    return dialled(cluster(TWO, service=replace(WEB, ingress=(Ingress(ip, IPMode.PROXY),))), ip)


def test_nobody_answers_at_a_documentation_address_of_mode_proxy() -> None:
    assert _proxied(NOBODYS) == Unanswered()
    assert isinstance(_proxied(VIP), Unspecified)  # a load balancer may have it


def _checked(where: DestinationRef, mode: ProxyMode) -> Outcome:
    case = Case(
        id="X-01",
        promise="",
        level=Level.CHECK,
        sources=(),
        catches=(),
        given=service(ServiceType.LOAD_BALANCER, external_policy=Policy.LOCAL),
        when=dial(where, client=host("a")),
        then=Says(503),
        across=Axes((Family.IPV4,), (Protocol.TCP,)),
    )
    (cell,) = cells_of_case(case, "x")
    scene = imagine.scene(cell)
    bound = bind(cell, scene.state, scene.here)
    assert not isinstance(bound, str)
    state = replace(scene.state, proxy=replace(scene.state.proxy, mode=mode))
    return expect_cell(cell, state, *bound).outcome


def test_a_health_check_is_answered_where_node_ports_are_served() -> None:
    for mode in (ProxyMode.NFTABLES, ProxyMode.IPTABLES):
        assert _checked(health_check("b"), mode) == Tells(503, 0)
    assert isinstance(_checked(health_check("b", secondary=True), ProxyMode.NFTABLES), Refused)
    assert _checked(health_check("b", secondary=True), ProxyMode.IPTABLES) == Tells(503, 0)


def test_the_whole_answer_names_the_service() -> None:
    told = _checked(health_check("b", whole=True), ProxyMode.NFTABLES)
    assert isinstance(told, Tells)
    assert told.service.startswith(f"{imagine.NAMESPACE}/")
