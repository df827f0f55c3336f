"""What a healthCheckNodePort says: each part of the answer that is promised, and is wrong, is named."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.judge import judge
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Expectation, Tells
from conformance.model.verdict import Mismatch, Status

BODY = {"service": {"namespace": "ns", "name": "web"}, "localEndpoints": 1, "serviceProxyHealthy": True}
HEADERS = {"x-load-balancing-endpoint-weight": "1", "x-content-type-options": "nosniff"}
COUNT, WHOLE = Tells(200, 1), Tells(200, 1, service="ns/web")


def said(outcome: Tells, *, status: int = 200, headers: dict[str, str] | None = None, **body: Any) -> str:  # noqa: ANN401
    page = {"status": status, "headers": HEADERS if headers is None else headers, "body": json.dumps(BODY | body)}
    verdict = judge(Expectation(outcome, ()), Observation(dials=(Dial(End.ANSWERED, detail=json.dumps(page)),)))
    if verdict.status is Status.PASSED:
        return ""
    assert (verdict.status, verdict.mismatch) == (Status.FAILED, Mismatch.WRONG_WORD)
    return verdict.message


def test_the_whole_answer_passes() -> None:
    assert said(WHOLE) == said(COUNT) == ""


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"status": 503}, "the status was 503; promised was 200"),
        ({"localEndpoints": 2}, "the body tells 2 local endpoints; there are 1"),
        ({"headers": HEADERS | {"x-load-balancing-endpoint-weight": "0"}}, "X-Load-Balancing-Endpoint-Weight is 0"),
    ],
)
def test_status_count_and_weight_always_matter(wrong: dict[str, Any], message: str) -> None:
    assert said(COUNT, **wrong).startswith(message)
    assert said(WHOLE, **wrong).startswith(message)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"service": {"namespace": "ns", "name": "other"}}, "the body tells service"),
        ({"serviceProxyHealthy": False}, "the body tells serviceProxyHealthy False; promised was True"),
        (
            {"headers": {"x-load-balancing-endpoint-weight": "1"}},
            "X-Content-Type-Options is None; promised was nosniff",
        ),
    ],
)
def test_the_rest_matters_where_the_whole_answer_is_asked_for(wrong: dict[str, Any], message: str) -> None:
    assert said(COUNT, **wrong) == ""
    assert said(WHOLE, **wrong).startswith(message)
