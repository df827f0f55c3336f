"""Pages, watched wires and the API server's decisions: what was read is compared word by word."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge import judge
from conformance.judge.finding import Finding
from conformance.judge.told import WEIGHT, decided, quiet, told, value_at
from conformance.model.case.then import PRESENT
from conformance.model.observation import Dial, End, Observation
from conformance.model.outcome import Decides, Expectation, Outcome, Quiet, Tells
from conformance.model.verdict import Mismatch, Status

SILENT, RESET = Dial(End.TIMEOUT), Dial(End.RST)


def said(detail: object) -> Dial:
    return Dial(End.ANSWERED, detail=json.dumps(detail))


def page(status: int, body: str = "", **headers: str) -> Dial:
    return said({"status": status, "headers": headers, "body": body})


def health(status: int, local: object, weight: object) -> Dial:
    body = json.dumps({"service": {"namespace": "ns", "name": "web"}, "localEndpoints": local})
    return page(status, body, **{WEIGHT: str(weight)})


def status_of(outcome: Outcome, *dials: Dial, controls: bool | None = True) -> Status:
    seen = Observation(dials=dials, control_before=controls, control_after=controls)
    return judge(Expectation(outcome, ()), seen).status


@given(st.sampled_from([200, 503]), st.integers(0, 9))
def test_a_page_that_says_what_was_promised_passes(status: int, local: int) -> None:
    assert told(Tells(status, local), [health(status, local, local)] * 2) == Finding()
    assert told(Tells(status), [page(status, "anything")]) == Finding()


@pytest.mark.parametrize(
    ("dial", "words"),
    [
        (health(503, 2, 2), "the status was 503; promised was 200"),
        (health(200, 1, 2), "the body tells 1 local endpoints; there are 2"),
        (health(200, 2, 1), "X-Load-Balancing-Endpoint-Weight is 1; there are 2 local endpoints"),
        (page(200, '{"localEndpoints": 2}'), "X-Load-Balancing-Endpoint-Weight is None; there are 2 local endpoints"),
        (page(200, "ok"), "the body tells no localEndpoints: 'ok'"),
        (page(200, "[2]"), "the body tells no localEndpoints: '[2]'"),
        (page(200, "{}"), "the body tells no localEndpoints: '{}'"),
    ],
)
def test_a_page_that_says_something_else_fails_in_its_words(dial: Dial, words: str) -> None:
    promised = Tells(200, 2)
    assert told(promised, [dial]) == Finding(Mismatch.WRONG_WORD, words)
    assert told(promised, [health(200, 2, 2), dial]).mismatch is Mismatch.WRONG_WORD


def test_a_whole_body_is_compared_without_the_white_space_around_it() -> None:
    promised = Tells(200, body="nftables")
    assert told(promised, [page(200, "nftables\n")]) == Finding()
    finding = told(promised, [page(200, "iptables")])
    assert finding == Finding(Mismatch.WRONG_WORD, "the answer was 'iptables'; promised was 'nftables'")


@pytest.mark.parametrize("dial", [SILENT, RESET])
def test_no_page_is_no_answer(dial: Dial) -> None:
    finding = told(Tells(200), [dial])
    assert finding.mismatch is Mismatch.NOT_REACHED
    assert finding.silence is (dial is SILENT)
    assert status_of(Tells(200), dial) is Status.FAILED
    assert status_of(Tells(200), SILENT, controls=None) is Status.UNKNOWN


def leak(packets: int) -> Dial:
    seen = {"device": "eth0", "source": "10.244.1.21", "destination": "10.96.0.9", "protocol": "TCP", "port": 80}
    return said({"packets": packets, "seen": [seen] * min(packets, 10)})


def test_a_wire_on_which_nothing_was_seen_is_quiet() -> None:
    assert quiet([]) == quiet([SILENT, SILENT]) == Finding()
    assert status_of(Quiet(), SILENT, controls=None) is Status.PASSED  # a watch has no control: it dials nobody


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4))
def test_every_packet_on_the_wire_is_a_leak_and_the_first_are_shown(counts: list[int]) -> None:
    finding = quiet([SILENT, *map(leak, counts)])
    assert finding.mismatch is Mismatch.LEAKED
    assert finding.message.startswith(f"{sum(counts)} packets left the node: ")
    shown = finding.message.count("10.244.1.21 -> 10.96.0.9 port 80/TCP on eth0")
    assert shown == min(3, sum(min(n, 10) for n in counts))


def answer(status: int, *fields: str, message: str = "", **stored: Any) -> Dial:  # noqa: ANN401  JSON
    return said({"status": status, "fields": list(fields), "message": message, "object": stored})


def test_a_refusal_must_name_the_field() -> None:
    promised = Decides("spec.clusterIP", status=422)
    for named in ("spec.clusterIP", "spec.clusterIP[0]", "Spec.ClusterIP.x"):
        assert decided(promised, [answer(422, "spec.type", named)]) == Finding()
    for fields in (["spec.type"], ["spec.clusterIPs[0]"], []):
        finding = decided(promised, [answer(422, *fields, message="invalid")])
        words = f"the refusal names {', '.join(fields) or 'no field'}, not spec.clusterIP: invalid"
        assert finding == Finding(Mismatch.WRONG_DECISION, words)
    other = decided(promised, [answer(403, "spec.clusterIP", message="forbidden")])
    assert other.message == "the refusal was 403, not 422: forbidden"
    taken = decided(promised, [answer(201)])
    assert taken.message == "the request was taken; promised was a refusal (422) of spec.clusterIP"
    assert decided(Decides(status=409), [answer(409)]) == Finding()


@pytest.mark.parametrize(
    ("path", "promised", "holds"),
    [
        ("spec.type", "NodePort", True),
        ("spec.type", "ClusterIP", False),
        ("spec.ports.0.nodePort", 30080, True),
        ("spec.ports.0.nodePort", PRESENT, True),
        ("spec.ports.0.nodePort", None, False),
        ("spec.ports.1.nodePort", None, True),
        ("spec.ports.1.nodePort", PRESENT, False),
        ("spec.externalIPs", PRESENT, False),
        ("spec.selector", PRESENT, False),
        ("spec.publishNotReadyAddresses", False, True),
        ("spec.publishNotReadyAddresses", PRESENT, True),
        ("spec.type.deeper", None, True),
        ("metadata", None, True),
    ],
)
def test_what_is_stored_is_compared_path_by_path(path: str, promised: object, holds: bool) -> None:
    spec = {
        "type": "NodePort",
        "ports": [{"nodePort": 30080}],
        "externalIPs": [],
        "selector": {},
        "publishNotReadyAddresses": False,
    }
    finding = decided(Decides(holds=((path, promised),)), [answer(200, spec=spec)])
    assert (finding == Finding()) is holds
    if not holds:
        assert finding.mismatch is Mismatch.WRONG_DECISION
        assert finding.message.startswith(f"{path} is ")


def test_a_request_that_had_to_be_taken_was_refused() -> None:
    finding = decided(Decides(holds=(("spec.type", "NodePort"),)), [answer(422, "spec.type", message="invalid")])
    assert finding == Finding(Mismatch.WRONG_DECISION, "the request was refused (422): invalid")
    assert status_of(Decides(), answer(201)) is Status.PASSED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab", min_size=1, max_size=2), inner),
    max_leaves=8,
)


@given(json_values, st.lists(st.sampled_from(["a", "b", "ab", "0", "1", "7"]), min_size=1, max_size=4))
def test_a_path_leads_to_what_is_there_or_to_nothing(plain: object, path: list[str]) -> None:
    found = value_at(plain, ".".join(path))
    inner = value_at(plain, path[0])
    assert found == (value_at(inner, ".".join(path[1:])) if path[1:] else inner)
    assert value_at({"x": plain, "y": [plain]}, "x." + ".".join(path)) == found
    assert value_at({"x": plain, "y": [plain]}, "y.0." + ".".join(path)) == found


def test_a_dial_that_could_not_be_made_tells_nothing() -> None:
    broken = replace(SILENT, end=End.ERROR, detail="EAFNOSUPPORT")
    for outcome in (Tells(200), Quiet(), Decides("spec.type", status=422)):
        assert status_of(outcome, broken) is Status.UNKNOWN
