"""Every question to the API server, put to the lab's own: what is promised of it holds there, and could be broken."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

import pytest

from conformance.arrange import manifests
from conformance.arrange.arrangement import Arrangement
from conformance.arrange.run import Run
from conformance.arrange.services import Services
from conformance.arrange.submissions import patch_of, with_fields
from conformance.cluster.connection import connect
from conformance.cluster.paths import kind
from conformance.judge import judge
from conformance.lab.faults.board import Board, Switch
from conformance.model.addresses import Family
from conformance.model.case import Rejected, Stored, Submission, change, create, delete, make, read, really, service
from conformance.model.cell import Cell
from conformance.model.observation import Dial, End, Observation
from conformance.model.parse import service as parsed
from conformance.model.surroundings import Surroundings
from conformance.model.verdict import Status
from conformance.plan.cells import cells_of_case
from fixtures.catalogue import areas
from fixtures.ground import Ground
from fixtures.submitting import submit, submit_all
from tests.lab.api.apiserver import Server, running

CELLS = [
    cell
    for area in areas()
    for case in area.cases
    for cell in cells_of_case(case, area.name)
    if isinstance(cell.what, Submission)
]


@dataclass(frozen=True)
class Desk:
    """What of a `Ground` a submission needs."""

    services: Services
    here: Surroundings

    def submit(self, cell: Cell) -> tuple[Status, str]:
        verdict = judge(*submit(cast(Ground, self), cell))
        return verdict.status, verdict.message

    def given(self, cell: Cell) -> Desk:
        """With the Services that the cell's phase has."""
        run, cluster = self.services.arrangement.run, self.services.arrangement.cluster
        here = replace(self.here, numbers={spec.name: 1 for spec in cell.specs})
        for spec in cell.services:
            made = cluster.create(kind("Service").path(run.namespace), manifests.service(run, spec, here))
            here = replace(here, first={**here.first, spec.name: parsed(made)})
        return replace(self, here=here)

    def tidy(self) -> list[str]:
        """Delete all; the names of what there was."""
        run, cluster = self.services.arrangement.run, self.services.arrangement.cluster
        names = [s["metadata"]["name"] for s in self.services.arrangement.services()]
        for name in names:
            cluster.delete(kind("Service").path(run.namespace, name))
        return names


def desk(server: Server, *families: Family) -> Desk:
    run = Run(image="none")
    cluster = connect(server.kubeconfig)
    cluster.create("/api/v1/namespaces", manifests.namespace(run, run.namespace, privileged=False))
    here = Surroundings({}, {}, {}, families, run.backend_port)
    return Desk(Services(Arrangement(cluster, run, "")), here)


@pytest.fixture(scope="module", name="dual")
def _dual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running(tmp_path_factory.mktemp("dual")) as server:
        yield desk(server, Family.IPV4, Family.IPV6)


@pytest.fixture(scope="module", name="single")
def _single(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with running(tmp_path_factory.mktemp("single"), "--service-cidr", "10.96.0.0/16") as server:
        yield desk(server, Family.IPV4)


@pytest.mark.parametrize("cell", [c for c in CELLS if c.case != "API-24"], ids=lambda c: c.id)
def test_what_is_promised_holds_and_nothing_is_left(cell: Cell, dual: Desk) -> None:
    there = dual.given(cell)
    assert there.submit(cell)[0] is Status.PASSED
    assert set(dual.tidy()) <= {spec.name for spec in cell.services}


@pytest.mark.parametrize("cell", [c for c in CELLS if c.case == "API-24"], ids=lambda c: c.id)
def test_what_is_promised_of_a_single_stack_cluster_holds(cell: Cell, single: Desk) -> None:
    assert single.submit(cell)[0] is Status.PASSED
    assert single.tidy() == []


@pytest.mark.parametrize("cell", CELLS, ids=lambda c: c.id)
def test_each_question_can_be_answered_wrongly(cell: Cell, dual: Desk) -> None:
    there = dual.given(cell)
    expectation, _ = submit(cast(Ground, there), cell)
    dual.tidy()
    taken = {"status": 200, "fields": [], "message": "", "object": {"metadata": {}, "items": [{"metadata": {}}]}}
    refused = {"status": 422, "fields": ["spec.nothing"], "message": "no", "object": {}}
    wrong = [taken] if isinstance(cell.then, Rejected) else [refused]
    wrong += [refused] if isinstance(cell.then, Rejected) else []
    wrong += [taken] if isinstance(cell.then, Stored) and any(v is not None for _, v in cell.then.holds) else []
    for said in wrong:
        seen = Observation((Dial(End.ANSWERED, detail=json.dumps(said)),))
        assert judge(expectation, seen).status is Status.FAILED


def test_a_surprise_is_asked_again_and_an_order_is_kept(dual: Desk) -> None:
    spec, base = service(called="again"), next(c for c in CELLS if isinstance(c.then, Stored))
    cells = [
        replace(base, id="wrong", what=really(create(spec), read(spec)), then=Rejected(status=404)),
        replace(base, id="right", what=make(spec), then=Stored()),
        replace(base, id="other", what=make(service(called="other")), then=Stored(), story="other"),
    ]
    told = {cell.id: (expectation, seen) for cell, expectation, seen in submit_all(cast(Ground, dual), cells)}
    assert list(told) == ["wrong", "right", "other"]
    assert [len(seen.again) for _, seen in told.values()] == [1, 0, 0]
    assert [judge(*answer).status for answer in told.values()] == [Status.FAILED, Status.PASSED, Status.PASSED]
    assert dual.tidy() == []


@pytest.mark.parametrize(
    ("fault", "failing"),
    [
        ("API_TAKES_INVALID", {"API-24.require"}),
        ("API_ALLOCATES_NOTHING", {"API-24.prefer"}),
    ],
)
def test_on_a_single_stack_cluster_too_each_fault_is_caught(tmp_path: Path, fault: str, failing: set[str]) -> None:
    board = Board(tmp_path / "faults")
    board.install()
    board.write([Switch(fault)])
    with running(tmp_path, "--service-cidr", "10.96.0.0/16", "--faults", str(board.folder)) as server:
        there = desk(server, Family.IPV4)
        cells = [c for c in CELLS if c.case == "API-24"]
        assert {c.id for c in cells if there.submit(c)[0] is Status.FAILED} == failing


def test_a_leak_is_a_failure_though_it_keeps_us_from_asking_again(tmp_path: Path) -> None:
    board = Board(tmp_path / "faults")
    board.install()
    board.write([Switch("API_KEEPS_ALLOCATED")])
    with running(tmp_path, "--faults", str(board.folder)) as server:
        there = desk(server, Family.IPV4, Family.IPV6)
        cells = [c for c in CELLS if c.id == "API-61.freed"]
        told = [judge(promise, seen).status for _, promise, seen in submit_all(cast(Ground, there), cells)]
        assert told == [Status.FAILED]


def test_what_could_not_be_asked_is_no_verdict(dual: Desk) -> None:
    base = next(c for c in CELLS if isinstance(c.then, Stored))
    gone = service(called="never-there")
    sequences = (
        really(change(gone, ("spec.type", "NodePort")), read(gone)),
        really(delete(gone), create(gone), create(gone), read(gone)),
    )
    for what in sequences:
        status, message = dual.submit(replace(base, what=what, then=Stored()))
        assert status is Status.UNKNOWN
        assert message.startswith("A request that had to come first")
    assert dual.tidy() == []


def test_a_permission_that_is_missing_is_no_verdict(tmp_path: Path) -> None:
    with running(tmp_path) as server:
        there = desk(server, Family.IPV4)
        nobody = server.authority.issue("nobody", "nobody")
        server.authority.kubeconfig(tmp_path / "nobody.kubeconfig", f"https://127.0.0.1:{server.port}", *nobody)
        run = there.services.arrangement.run
        powerless = Services(Arrangement(connect(tmp_path / "nobody.kubeconfig"), run, ""))
        denied = Rejected(status=403)
        cell = replace(CELLS[0], what=make(service(called="denied")), then=denied)
        status, message = replace(there, services=powerless).submit(cell)
    assert status is Status.UNKNOWN
    assert "The credentials do not permit to get services" in message


def test_fields_are_set_by_path() -> None:
    plain = {"spec": {"ports": [{"port": 80}], "type": "ClusterIP"}}
    fields = (("spec.ports.0.nodePort", 1), ("spec.ports.1", {"port": 81}), ("spec.a.b", 2), ("spec.type", None))
    assert with_fields(plain, fields) == {
        "spec": {"ports": [{"port": 80, "nodePort": 1}, {"port": 81}], "type": None, "a": {"b": 2}}
    }
    assert plain == {"spec": {"ports": [{"port": 80}], "type": "ClusterIP"}}


def test_a_patch_says_what_is_set_and_lists_as_a_whole() -> None:
    plain = {"spec": {"ports": [{"port": 80}, {"port": 81}], "type": "ClusterIP"}, "metadata": {"name": "x"}}
    assert patch_of(plain, (("spec.ports.1.port", 82), ("metadata.labels.a", "b"), ("spec.type", None))) == {
        "spec": {"ports": [{"port": 80}, {"port": 82}], "type": None},
        "metadata": {"labels": {"a": "b"}},
    }
