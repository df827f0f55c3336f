"""What the audit found in a node's table, judged."""

from __future__ import annotations

import json

from conformance.judge import judge
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Expectation, Faithful
from conformance.model.verdict import Mismatch, Status

EXPECTED = Expectation(Faithful(), ())


def read(*found: str) -> Observation:
    return Observation((Dial(End.ANSWERED, detail=json.dumps(found)),))


def test_rules_without_a_finding_pass_without_any_control() -> None:
    assert judge(EXPECTED, read()).status is Status.PASSED


def test_a_finding_is_a_wrong_rule_and_is_quoted() -> None:
    verdict = judge(EXPECTED, read("missing: a", "stale: b", "base: c", "foreign: d", "altered: e"))
    assert (verdict.status, verdict.mismatch) == (Status.FAILED, Mismatch.WRONG_RULES)
    assert verdict.message == "missing: a; stale: b; base: c, and 2 more"


def test_a_node_that_could_not_be_read_is_unknown() -> None:
    assert judge(EXPECTED, Observation(trouble="node-a: no kube-proxy pod runs there")).status is Status.UNKNOWN
