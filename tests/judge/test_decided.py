"""The API server's answers: every way to be wrong is found, and what is right is let pass."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.judge import judge
from conformance.judge.told import value_at
from conformance.model.case import CONFLICT, INVALID, NOT_FOUND, PRESENT
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Decides, Expectation
from conformance.model.verdict import Mismatch, Status

STORED = {"spec": {"clusterIPs": ["10.96.0.7"], "ports": [{"port": 80, "nodePort": 0}], "sessionAffinity": ""}}


def answer(status: int = 200, fields: tuple[str, ...] = (), stored: Any = None) -> dict[str, Any]:  # noqa: ANN401
    return {"status": status, "fields": fields, "message": "because", "object": stored or {}}


def judged(outcome: Decides, said: dict[str, Any]) -> tuple[Status, str]:
    seen = Observation((Dial(End.ANSWERED, "the API server", detail=json.dumps(said)),))
    verdict = judge(Expectation(outcome, ()), seen)
    assert (verdict.status is Status.FAILED) == (verdict.mismatch is Mismatch.WRONG_DECISION)
    return verdict.status, verdict.message


@pytest.mark.parametrize(
    ("outcome", "said", "told"),
    [
        (Decides("spec.ports", status=INVALID), answer(), "the request was taken; promised was a refusal (422) of"),
        (Decides(status=CONFLICT), answer(), "the request was taken; promised was a refusal (409)"),
        (Decides(status=NOT_FOUND), answer(409), "the refusal was 409, not 404: because"),
        (Decides("spec.ports", status=INVALID), answer(422, ("spec.type",)), "the refusal names spec.type, not"),
        (Decides("spec.ports", status=INVALID), answer(422, ("spec.portsmouth",)), "the refusal names spec.portsmouth"),
        (Decides("spec.ports[0].port", status=INVALID), answer(422, ("spec.ports",)), "the refusal names spec.ports,"),
        (Decides("spec.ports", status=INVALID), answer(422), "the refusal names no field, not spec.ports: because"),
        (Decides("spec.ports", status=INVALID), answer(403, ("spec.ports",)), "the refusal was 403, not 422"),
        (Decides(), answer(422, ("spec.type",)), "the request was refused (422): because"),
        (Decides(holds=(("spec.clusterIPs.1", PRESENT),)), answer(stored=STORED), "spec.clusterIPs.1 is None"),
        (Decides(holds=(("spec.clusterIPs.0", None),)), answer(stored=STORED), "spec.clusterIPs.0 is '10.96.0.7'"),
        (Decides(holds=(("spec.ports.0.port", 81),)), answer(stored=STORED), "spec.ports.0.port is 80; promised"),
        (Decides(holds=(("spec.ports.0.port", "80"),)), answer(stored=STORED), "spec.ports.0.port is 80; promised"),
        (Decides(holds=(("spec.sessionAffinity", PRESENT),)), answer(stored=STORED), "spec.sessionAffinity is ''"),
        (Decides(holds=(("spec.ports.0.nodePort", PRESENT),)), answer(stored=STORED), "spec.ports.0.nodePort is 0"),
        (
            Decides(holds=(("spec.clusterIPs.0", PRESENT), ("spec.type", "NodePort"))),
            answer(stored=STORED),
            "spec.type is None; promised was 'NodePort'",
        ),
    ],
)
def test_a_wrong_answer_is_found(outcome: Decides, said: dict[str, Any], told: str) -> None:
    status, message = judged(outcome, said)
    assert status is Status.FAILED
    assert message.startswith(told)


@pytest.mark.parametrize(
    ("outcome", "said"),
    [
        (Decides(), answer()),
        (Decides("spec.ports", status=INVALID), answer(422, ("spec.type", "spec.ports"))),
        (Decides("spec.ports", status=INVALID), answer(422, ("spec.ports[0].port",))),
        (Decides("spec.loadBalancerSourceRanges", status=INVALID), answer(422, ("spec.LoadBalancerSourceRanges[0]",))),
        (Decides(status=NOT_FOUND), answer(404)),
        (Decides(holds=(("spec.clusterIPs.0", "10.96.0.7"), ("spec.clusterIPs.1", None))), answer(stored=STORED)),
        (Decides(holds=(("spec.sessionAffinity", None), ("spec.type", None))), answer(stored=STORED)),
        (Decides(holds=(("spec.clusterIPs", PRESENT), ("spec.ports.0.port", 80))), answer(stored=STORED)),
    ],
)
def test_a_right_answer_passes(outcome: Decides, said: dict[str, Any]) -> None:
    assert judged(outcome, said)[0] is Status.PASSED


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("spec.ports.0.port", 80),
        ("spec.ports.1.port", None),
        ("spec.ports.port", None),
        ("spec.ports.0.port.0", None),
        ("status", None),
        ("spec.clusterIPs", ["10.96.0.7"]),
    ],
)
def test_values_are_found_by_path(path: str, value: object) -> None:
    assert value_at(STORED, path) == value
