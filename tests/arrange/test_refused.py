"""Services that the API does not let be: an admission's no is a fact of the cluster, another refusal a trouble."""

from __future__ import annotations

import json
from typing import cast

import pytest

from conformance.arrange.arrangement import Arrangement
from conformance.arrange.run import Run
from conformance.arrange.services import Services
from conformance.cluster.api import JSON, Cluster
from conformance.cluster.failures import ApiRefused, refused
from conformance.cluster.outage import Outage
from conformance.model.addresses import Family, Protocol
from conformance.model.case import Level, cluster_ip, dial, pod, service
from conformance.model.cell import Cell
from conformance.model.surroundings import Surroundings
from conformance.model.verdict import Status
from fixtures import asking
from fixtures.ground import Ground
from fixtures.held import Asked

HERE = Surroundings({}, {}, {}, (Family.IPV4,), 8080, numbers={"x": 0})
SPEC = service(called="x", external_ip=True)
CELL = Cell(
    "X-01",
    "X-01",
    "x",
    "p",
    Level.MUST,
    (),
    ((SPEC,),),
    dial(cluster_ip(), client=pod("a")),
    Family.IPV4,
    Protocol.TCP,
    1,
)


class Refusing(Cluster):
    """Refuses to create anything, with the same words."""

    def __init__(self, status: int, message: str) -> None:
        self.outage = Outage(0.0)
        self.no = refused(status, json.dumps({"reason": "r", "message": message}).encode(), "POST /x")

    def create(self, path: str, body: JSON, *, dry_run: bool = False) -> JSON:
        raise self.no


def attempted(status: int, message: str) -> Services:
    services = Services(Arrangement(Refusing(status, message), Run(image="none"), ""))
    services._each([SPEC], lambda spec: services._create(spec, HERE))
    return services


class OnlyServices:
    """What of a `Ground` it takes to know that there is nothing to ask."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def absence(self, _cell: Cell) -> str:
        return ""


def test_what_an_admission_forbids_does_not_apply_here() -> None:
    services = attempted(403, 'services "x" is forbidden: Use of external IPs is denied by admission control.')
    answer = asking._unfit(cast(Ground, OnlyServices(services)), CELL)
    assert isinstance(answer, str)
    assert "Use of external IPs is denied by admission control" in answer


def test_what_the_api_refuses_otherwise_is_unknown() -> None:
    answer = asking._unfit(cast(Ground, OnlyServices(attempted(422, "spec.ports: Required value"))), CELL)
    assert isinstance(answer, Asked)
    assert answer.verdict.status is Status.UNKNOWN
    assert "spec.ports: Required value" in answer.verdict.message


def test_credentials_that_may_not_end_the_run() -> None:
    with pytest.raises(ApiRefused, match="do not permit to create services"):
        attempted(403, 'services is forbidden: User "ci" cannot create resource "services" in API group ""')
