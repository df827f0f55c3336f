"""An observation that an expectation brings about passes; one broken promise fails, by its own name."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge import judge
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
from conformance.model.sampling import dials_needed
from conformance.model.verdict import Mismatch, Status

PORT_UNREACHABLE = IcmpError(3, 3, "172.30.99.11")
HOST_UNREACHABLE = IcmpError(3, 1, "172.30.99.1")
REFUSED = Dial(End.ICMP, icmp=PORT_UNREACHABLE)
UNREACHABLE = Dial(End.ICMP, icmp=HOST_UNREACHABLE)
RESET, SILENT, CUT = Dial(End.RST), Dial(End.TIMEOUT), Dial(End.CUT)
STRANGER = Dial(End.ANSWERED, endpoint="stranger", source="10.0.0.1")
FAILED_DIAL = Dial(End.ERROR, detail="EAFNOSUPPORT")


def asked(outcome: Outcome, *dials: Dial, controls: bool | None = True) -> tuple[Status, Mismatch]:
    seen = Observation(dials=dials, control_before=controls, control_after=controls)
    verdict = judge(Expectation(outcome, ()), seen)
    assert verdict.message
    return verdict.status, verdict.mismatch


def target(i: int, *sources: str) -> Target:
    return Target(f"10.244.{i}.11", 8080, frozenset(sources or ("10.244.9.9",)), f"web-{i}")


def answer(to: Target) -> Dial:
    return Dial(End.ANSWERED, endpoint=to.pod, source=min(to.sources))


@st.composite
def reachable(draw: st.DrawFn) -> tuple[Reaches, list[Dial]]:
    """An outcome and enough dials that fulfil it: sticky ones at one target, others in turn."""
    targets = [target(i) for i in range(1, 1 + draw(st.integers(1, 4)))]
    outcome = Reaches(frozenset(targets), sticky=draw(st.booleans()))
    count = dials_needed(len(targets)) + draw(st.integers(0, 5))
    chosen = [draw(st.sampled_from(targets))] if outcome.sticky else targets
    return outcome, [answer(chosen[i % len(chosen)]) for i in range(count)]


@given(reachable())
def test_what_was_promised_passes(case: tuple[Reaches, list[Dial]]) -> None:
    outcome, dials = case
    assert asked(outcome, *dials) == (Status.PASSED, Mismatch.NONE)
    assert asked(outcome, *dials, controls=None) == (Status.PASSED, Mismatch.NONE)


@given(reachable(), st.data())
def test_one_broken_dial_fails_by_name(case: tuple[Reaches, list[Dial]], data: st.DataObject) -> None:
    outcome, dials = case
    at = data.draw(st.integers(0, len(dials) - 1))
    lost = Mismatch.SOMETIMES_LOST if len(dials) > 1 else Mismatch.NOT_REACHED
    broken, mismatch = data.draw(
        st.sampled_from(
            (
                (STRANGER, Mismatch.WRONG_ENDPOINT),
                (SILENT, lost),
                (CUT, lost),
                (RESET, lost),
                (REFUSED, lost),
                (replace(dials[at], source="192.0.2.1"), Mismatch.WRONG_SOURCE),
            )
        )
    )
    assert asked(outcome, *dials[:at], broken, *dials[at + 1 :]) == (Status.FAILED, mismatch)


@given(reachable(), st.sampled_from((SILENT, CUT, RESET, REFUSED, UNREACHABLE, Dial(End.NO_ROUTE))))
def test_nobody_there(case: tuple[Reaches, list[Dial]], end: Dial) -> None:
    outcome, dials = case
    assert asked(outcome, *[end] * len(dials)) == (Status.FAILED, Mismatch.NOT_REACHED)


@given(st.integers(2, 4))
def test_a_target_that_never_answers_fails_only_once_chance_is_ruled_out(count: int) -> None:
    targets = [target(i) for i in range(count)]
    outcome, enough = Reaches(frozenset(targets)), dials_needed(count)
    some = [answer(targets[1 + i % (count - 1)]) for i in range(enough)]
    assert asked(outcome, *some) == (Status.FAILED, Mismatch.ENDPOINT_NEVER_CHOSEN)
    assert asked(outcome, *some[:-1]) == (Status.PASSED, Mismatch.NONE)
    assert asked(replace(outcome, movable=True), *some) == (Status.PASSED, Mismatch.NONE)


def test_skewed_shares() -> None:
    one, two = target(1), target(2)
    outcome = Reaches(frozenset({one, two}))
    assert asked(outcome, *[answer(one)] * 190, *[answer(two)] * 10) == (Status.FAILED, Mismatch.SKEWED)
    assert asked(outcome, *[answer(one)] * 120, *[answer(two)] * 80) == (Status.PASSED, Mismatch.NONE)


def test_affinity() -> None:
    one, two = target(1), target(2)
    outcome = Reaches(frozenset({one, two}), sticky=True)
    assert asked(outcome, *[answer(two)] * 30) == (Status.PASSED, Mismatch.NONE)
    assert asked(outcome, *[answer(two)] * 30, answer(one)) == (Status.FAILED, Mismatch.NOT_STICKY)
    assert asked(replace(outcome, sticky=False, movable=True), answer(two), answer(one))[0] is Status.PASSED


def test_answers_that_may_go_astray() -> None:
    """Silence may be an endpoint's whose answers do not come back; refusals, strangers and wrong sources may not be."""
    one, two = target(1), target(2)
    outcome = Reaches(frozenset({one}), astray=frozenset({two}))
    assert asked(outcome, *[answer(one)] * 12, *[SILENT] * 12) == (Status.PASSED, Mismatch.NONE)
    assert asked(outcome, *[answer(one)] * 12, *[answer(two)] * 12) == (Status.PASSED, Mismatch.NONE)
    assert asked(outcome, *[SILENT] * 3) == (Status.PASSED, Mismatch.NONE)
    assert asked(outcome, *[SILENT] * 24) == (Status.FAILED, Mismatch.NOT_REACHED)
    assert asked(outcome, answer(one), REFUSED) == (Status.FAILED, Mismatch.SOMETIMES_LOST)
    assert asked(outcome, answer(one), STRANGER) == (Status.FAILED, Mismatch.WRONG_ENDPOINT)
    assert asked(outcome, SILENT, replace(answer(one), source="192.0.2.1")) == (Status.FAILED, Mismatch.WRONG_SOURCE)
    assert asked(outcome, answer(one), SILENT, controls=None)[0] is Status.UNKNOWN
    sticky = replace(outcome, sticky=True)
    assert asked(sticky, *[SILENT] * 24) == (Status.PASSED, Mismatch.NONE)
    assert asked(sticky, answer(one), SILENT) == (Status.FAILED, Mismatch.NOT_STICKY)


def test_answers_that_all_go_astray_are_promised_nothing() -> None:
    """A network that loses them all keeps every promise, and so does one that happens to bring them back."""
    two = target(2)
    outcome = Reaches(frozenset(), astray=frozenset({two}))
    assert asked(outcome, *[SILENT] * 24) == (Status.PASSED, Mismatch.NONE)
    assert asked(outcome, *[answer(two)] * 24) == (Status.PASSED, Mismatch.NONE)
    assert asked(outcome, *[REFUSED] * 24) == (Status.FAILED, Mismatch.NOT_REACHED)
    assert asked(outcome, STRANGER) == (Status.FAILED, Mismatch.WRONG_ENDPOINT)


def test_unknown_sources_are_not_judged() -> None:
    anywhere = Target("10.244.1.11", 8080, frozenset(), "web-1")
    assert asked(Reaches(frozenset({anywhere})), Dial(End.ANSWERED, endpoint="web-1", source="192.0.2.77"))[0] is (
        Status.PASSED
    )


def test_a_flow_that_goes_on_keeps_its_source_port() -> None:
    """Another source port shows that the flow was forgotten meanwhile, though the same endpoint answers."""
    web = target(1)
    before = Reaches(frozenset({replace(web, source_port=40001)}))
    same, other = replace(answer(web), source_port=40001), replace(answer(web), source_port=40002)
    assert asked(before, same, same) == (Status.PASSED, Mismatch.NONE)
    assert asked(before, same, other) == (Status.FAILED, Mismatch.WRONG_SOURCE)
    assert asked(Reaches(frozenset({web})), same, other) == (Status.PASSED, Mismatch.NONE)


def test_an_endpoint_without_a_pod_answers_with_its_address() -> None:
    nameless = Target("10.244.1.11", 8080, frozenset({"10.0.0.9"}))
    named = Dial(End.ANSWERED, endpoint="10.244.1.11", source="10.0.0.9")
    assert asked(Reaches(frozenset({nameless})), named)[0] is Status.PASSED


ICMP, RST, ANY = (Refused(by) for by in (RefusedBy.ICMP, RefusedBy.RST, RefusedBy.ANY))


@pytest.mark.parametrize(
    ("outcome", "dials", "expected"),
    [
        (ICMP, [REFUSED] * 3, (Status.PASSED, Mismatch.NONE)),
        (ICMP, [REFUSED, SILENT, SILENT], (Status.PASSED, Mismatch.NONE)),  # the kernel limits the rate of ICMP errors
        (ICMP, [SILENT] * 3, (Status.FAILED, Mismatch.DROPPED_NOT_REFUSED)),
        (ICMP, [RESET] * 3, (Status.FAILED, Mismatch.WRONG_REFUSAL)),
        (ICMP, [REFUSED, RESET], (Status.FAILED, Mismatch.WRONG_REFUSAL)),
        (ICMP, [UNREACHABLE], (Status.FAILED, Mismatch.WRONG_REFUSAL)),
        (ICMP, [REFUSED, STRANGER], (Status.FAILED, Mismatch.ANSWERED)),
        (ICMP, [REFUSED, CUT], (Status.FAILED, Mismatch.ANSWERED)),
        (ICMP, [Dial(End.NO_ROUTE)], (Status.UNKNOWN, Mismatch.NONE)),
        (RST, [RESET] * 3, (Status.PASSED, Mismatch.NONE)),
        (RST, [RESET, RESET, SILENT], (Status.FAILED, Mismatch.DROPPED_NOT_REFUSED)),
        (RST, [REFUSED], (Status.FAILED, Mismatch.WRONG_REFUSAL)),
        (ANY, [RESET, RESET], (Status.PASSED, Mismatch.NONE)),
        (ANY, [REFUSED, SILENT], (Status.PASSED, Mismatch.NONE)),
        (ANY, [UNREACHABLE], (Status.FAILED, Mismatch.WRONG_REFUSAL)),
        (Dropped(), [SILENT] * 3, (Status.PASSED, Mismatch.NONE)),
        (Dropped(), [SILENT, REFUSED], (Status.FAILED, Mismatch.REFUSED_NOT_DROPPED)),
        (Dropped(), [SILENT, RESET], (Status.FAILED, Mismatch.REFUSED_NOT_DROPPED)),
        (Dropped(), [SILENT, STRANGER], (Status.FAILED, Mismatch.ANSWERED)),
        (Dropped(), [Dial(End.ERROR, detail="EPERM")], (Status.PASSED, Mismatch.NONE)),
        (Dropped(), [Dial(End.NO_ROUTE)], (Status.UNKNOWN, Mismatch.NONE)),
        (NoRoute(), [Dial(End.NO_ROUTE), UNREACHABLE], (Status.PASSED, Mismatch.NONE)),
        (NoRoute(), [SILENT], (Status.FAILED, Mismatch.DROPPED_NOT_REFUSED)),
        (NoRoute(), [RESET], (Status.FAILED, Mismatch.WRONG_REFUSAL)),
        (NoRoute(), [STRANGER], (Status.FAILED, Mismatch.ANSWERED)),
        (Unanswered(), [SILENT, UNREACHABLE, RESET], (Status.PASSED, Mismatch.NONE)),
        (Unanswered(), [SILENT, STRANGER], (Status.FAILED, Mismatch.ANSWERED)),
        (
            Resolves(frozenset({"10.96.0.1"})),
            [Dial(End.ANSWERED, detail="10.96.0.1\n")],
            (Status.PASSED, Mismatch.NONE),
        ),
        (Resolves(frozenset()), [Dial(End.ANSWERED, detail="NXDOMAIN")], (Status.PASSED, Mismatch.NONE)),
        (Resolves(frozenset({"a", "b"})), [Dial(End.ANSWERED, detail="a")], (Status.FAILED, Mismatch.WRONG_NAME)),
        (Resolves(frozenset({"a"})), [SILENT], (Status.FAILED, Mismatch.NOT_REACHED)),
    ],
)
def test_ends_that_are_no_answers(outcome: Outcome, dials: list[Dial], expected: tuple[Status, Mismatch]) -> None:
    assert asked(outcome, *dials) == expected


@pytest.mark.parametrize("controls", [(False, True), (True, False), (None, None), (True, None)])
@pytest.mark.parametrize("outcome", [Dropped(), ICMP, Unanswered(), NoRoute(), Reaches(frozenset({target(1)}))])
def test_silence_without_a_control_is_unknown(outcome: Outcome, controls: tuple[bool | None, bool | None]) -> None:
    before, after = controls
    seen = Observation(dials=(SILENT,) * 3, control_before=before, control_after=after)
    assert judge(Expectation(outcome, ()), seen).status is Status.UNKNOWN


@pytest.mark.parametrize("outcome", [Dropped(), ICMP, Unanswered(), NoRoute(), Reaches(frozenset({target(1)}))])
def test_could_not_ask_is_unknown(outcome: Outcome) -> None:
    assert judge(Expectation(outcome, ()), Observation(trouble="the exec stream was cut")).status is Status.UNKNOWN
    assert asked(outcome)[0] is Status.UNKNOWN
    assert asked(outcome, FAILED_DIAL)[0] is Status.UNKNOWN


def test_a_dial_that_could_not_be_made_spoils_a_pass_but_not_a_failure() -> None:
    assert asked(Dropped(), SILENT, FAILED_DIAL)[0] is Status.UNKNOWN
    assert asked(Dropped(), STRANGER, FAILED_DIAL) == (Status.FAILED, Mismatch.ANSWERED)


@given(st.lists(st.sampled_from((STRANGER, SILENT, RESET, REFUSED, FAILED_DIAL)), max_size=4))
def test_what_is_left_open_is_recorded(dials: list[Dial]) -> None:
    assert asked(Unspecified("nobody promises this"), *dials, controls=None) == (Status.RECORDED, Mismatch.NONE)


def test_the_patient_round_is_the_one_to_believe() -> None:
    web = target(1)
    seen = Observation(dials=(SILENT,), again=(answer(web),), control_before=True, control_after=True)
    assert judge(Expectation(Reaches(frozenset({web})), ()), seen).status is Status.PASSED
