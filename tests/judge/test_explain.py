"""The block of text that a person reads after a failure."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from conformance.judge import account, expected, explain, judge
from conformance.model.case import Level
from conformance.model.observation import Dial, End, IcmpError, Observation
from conformance.model.outcome import (
    Dropped,
    Expectation,
    NoRoute,
    Outcome,
    Reaches,
    Refused,
    RefusedBy,
    Resolves,
    Target,
    Unanswered,
    Unspecified,
)
from conformance.model.printable import printable
from conformance.model.result import Result
from conformance.model.source import Reason
from conformance.model.verdict import Verdict
from conformance.spec.sources import EXTERNAL_POLICY

PROMISE = "A node without a local endpoint drops external traffic."


def told(verdict: Verdict) -> Result:
    return Result(
        "ETP-03.ipv4-tcp",
        "ETP-03",
        "external_policy",
        Level.MUST,
        PROMISE,
        (EXTERNAL_POLICY,),
        *("np-web-a", "external", "nodePort-b", "IPv4", "TCP"),
        verdict.status,
        verdict.mismatch,
        verdict.message,
        account=account(verdict, "external 172.18.0.100", "node-b 172.18.0.12:31080/tcp"),
    )


REASONS = (Reason("endpoints {web-a on node-a}", EXTERNAL_POLICY), Reason("policy Local", EXTERNAL_POLICY))


def test_the_whole_block() -> None:
    dial = Dial(End.ANSWERED, endpoint="web-a", source="172.18.0.12")
    seen = Observation(dials=(dial,) * 21, again=(dial,) * 21, control_before=True, control_after=True)
    verdict = judge(Expectation(Dropped(), REASONS), seen)
    assert explain(told(verdict)).splitlines() == [
        "ETP-03.ipv4-tcp  MUST  service.spec.externalTrafficPolicy",
        "  promise   A node without a local endpoint drops external traffic.",
        "  asked     external 172.18.0.100 -> node-b 172.18.0.12:31080/tcp, 21 dials, again alone 21",
        "  expected  dropped: silence",
        "  observed  21/21 answered by web-a, which saw 172.18.0.12",
        "  verdict   failed (answered) 21/21 answered by web-a, which saw 172.18.0.12",
        "  because   endpoints {web-a on node-a}  [service.spec.externalTrafficPolicy]",
        "            policy Local  [service.spec.externalTrafficPolicy]",
        "  controls  before ok, after ok",
        "  again     nftconform run --case ETP-03.ipv4-tcp",
    ]


@given(st.text(), st.text(), st.text())
def test_nothing_from_a_cluster_reaches_the_terminal_raw(endpoint: str, source: str, detail: str) -> None:
    dials = (Dial(End.ANSWERED, endpoint=endpoint, source=source), Dial(End.ERROR, detail=detail))
    verdict = judge(
        Expectation(Dropped(), (Reason(detail, EXTERNAL_POLICY),)), Observation(dials=dials, trouble=detail)
    )
    block = explain(told(verdict))
    assert all(line.isprintable() for line in block.split("\n"))
    assert len(block.split("\n")) == 9


def test_escapes() -> None:
    assert printable("a\x1b[31m\n\u202e\U000e0001 é") == "a\\x1b[31m\\x0a\\u202e\\U000e0001 é"


def test_every_outcome_and_end_has_words() -> None:
    web = Target("10.244.1.11", 8080, frozenset({"10.0.0.1"}), "web-a")
    outcomes: list[Outcome] = [
        Reaches(frozenset({web})),
        Reaches(frozenset({web, Target("10.244.2.11", 8080, frozenset(), "web-b")}), sticky=True),
        Reaches(frozenset({web}), movable=True),
        Reaches(frozenset({web}), astray=frozenset({Target("10.244.2.11", 8080, frozenset(), "web-b")})),
        Reaches(frozenset(), astray=frozenset({web})),
        *(Refused(by) for by in RefusedBy),
        Dropped(),
        NoRoute(),
        Unanswered(),
        Resolves(frozenset({"10.96.0.1"})),
        Resolves(frozenset()),
        Unspecified("why"),
    ]
    words = [expected(o) for o in outcomes]
    assert len(set(words)) == len(words)
    assert words[0] == "answered by web-a, which sees 10.0.0.1"
    dials = tuple(Dial(end, icmp=IcmpError(3, 3, "10.0.0.1") if end is End.ICMP else None) for end in End)
    block = explain(told(judge(Expectation(Dropped(), ()), Observation(dials=dials))))
    assert block.count("1/7") == 7
