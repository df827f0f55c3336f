"""Status, restarts, probes, addresses and the wire format: pure."""

from __future__ import annotations

import json
from ipaddress import ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.kubelet import channels, logs, status
from conformance.lab.kubelet.ipam import AddressPool, PoolExhausted
from conformance.lab.kubelet.probes import Health, Kind, Probe, http_target, port_number
from conformance.lab.kubelet.record import ContainerRecord, PodRecord, Running, State, Waiting, terminated
from conformance.lab.kubelet.restarts import Backoff, restarts

Json = dict[str, Any]
NOW = "2026-01-01T00:00:00Z"
LATER = "2026-01-01T00:00:09Z"

ends = st.integers(-15, 3).map(lambda code: terminated(code, NOW, LATER, "id"))
states = st.one_of(st.just(Waiting("ContainerCreating")), st.just(Running(NOW)), ends)
containers = st.builds(
    ContainerRecord, st.just("c"), states, st.none() | ends, st.integers(0, 3), st.booleans(), st.booleans()
)


def pod(**spec: object) -> Json:
    return {"metadata": {"generation": 3}, "spec": {"containers": [{"name": "c", "image": "i"}], **spec}}


def record(state: State, *, ready: bool = False) -> PodRecord:
    one = ContainerRecord("c", state, ready=ready, container_id="id")
    return PodRecord(NOW, ("192.0.2.1",), ("10.0.0.1",), True, True, False, (), (one,))


def conditions(found: Json) -> dict[str, str]:
    return {entry["type"]: entry["status"] for entry in found["conditions"]}


@pytest.mark.parametrize(
    ("policy", "state", "phase"),
    [
        ("Always", Waiting("ContainerCreating"), "Pending"),
        ("Always", Running(NOW), "Running"),
        ("Always", terminated(0, NOW, NOW, "id"), "Running"),
        ("OnFailure", terminated(0, NOW, NOW, "id"), "Succeeded"),
        ("OnFailure", terminated(1, NOW, NOW, "id"), "Running"),
        ("Never", terminated(1, NOW, NOW, "id"), "Failed"),
        ("Never", terminated(-9, NOW, NOW, "id"), "Failed"),
    ],
)
def test_phase_by_policy_and_state(policy: str, state: State, phase: str) -> None:
    assert status.pod_phase(pod(restartPolicy=policy)["spec"], record(state)) == phase


@given(st.sampled_from(["Always", "OnFailure", "Never"]), containers, st.booleans(), st.booleans())
def test_only_a_running_pod_is_ready(policy: str, one: ContainerRecord, initialized: bool, ended: bool) -> None:
    given_record = PodRecord(NOW, ("192.0.2.1",), (), True, initialized, ended, (), (one,))
    found = status.pod_status(pod(restartPolicy=policy), given_record, NOW)
    if conditions(found)["Ready"] == "True":
        assert one.ready
        assert conditions(found)["ContainersReady"] == "True"
    if found["phase"] in ("Succeeded", "Failed"):
        assert conditions(found)["Ready"] == "False"
    if ended:
        assert found["phase"] in ("Succeeded", "Failed")
    assert found["observedGeneration"] == 3


def test_a_signal_is_reported_as_a_runtime_does() -> None:
    found = status.pod_status(pod(restartPolicy="Never"), record(terminated(-15, NOW, LATER, "id")), NOW)
    ended = found["containerStatuses"][0]["state"]["terminated"]
    assert (ended["exitCode"], ended["signal"], ended["reason"]) == (143, 15, "Error")
    assert ended["containerID"] == "nftconform-lab://id"


def test_conditions_keep_their_time_until_they_change() -> None:
    first = status.pod_status(pod(), record(Running(NOW)), NOW)
    known = {**pod(), "status": first}
    again = status.pod_status(known, record(Running(NOW)), LATER)
    assert again == first
    ready = status.pod_status(known, record(Running(NOW), ready=True), LATER)
    times = {entry["type"]: entry["lastTransitionTime"] for entry in ready["conditions"]}
    assert (times["Ready"], times["Initialized"]) == (LATER, NOW)
    patch = status.conditions_patch(ready["conditions"], first["conditions"])
    assert next(entry for entry in patch if entry["type"] == "Ready")["message"] is None


def test_readiness_gates() -> None:
    gated = pod(readinessGates=[{"conditionType": "go"}])
    assert conditions(status.pod_status(gated, record(Running(NOW), ready=True), NOW))["Ready"] == "False"
    gated["status"] = {"conditions": [{"type": "go", "status": "True"}]}
    assert conditions(status.pod_status(gated, record(Running(NOW), ready=True), NOW))["Ready"] == "True"


def test_a_phase_never_goes_back() -> None:
    before = {**pod(), "status": {"phase": "Running"}}
    assert status.pod_status(before, record(Waiting("ContainerCreating")), NOW)["phase"] == "Running"


def test_restarts() -> None:
    assert [restarts(policy, code) for policy in ("Always", "OnFailure", "Never") for code in (0, 1)] == [
        True,
        True,
        False,
        True,
        False,
        False,
    ]
    delays, backoff = [], Backoff()
    for _ in range(6):
        backoff = backoff.after(0.1)
        delays.append(backoff.seconds)
    assert delays == [1, 2, 4, 8, 10, 10]
    assert backoff.after(30).seconds == 1


@given(st.sampled_from(Kind), st.integers(1, 3), st.integers(1, 4), st.lists(st.booleans(), max_size=20))
def test_health_changes_only_after_a_whole_run(kind: Kind, successes: int, failures: int, answers: list[bool]) -> None:
    probe = Probe(kind, {}, success_threshold=successes, failure_threshold=failures)
    health = Health.initial(kind)
    for index, answer in enumerate(answers):
        before, health = health, health.after(answer, probe)
        needed = successes if answer else failures
        run = answers[max(0, index + 1 - needed) : index + 1]
        if health.ok != before.ok:
            assert run == [answer] * needed
        if len(run) == needed and set(run) == {answer}:
            assert health.ok is answer
        assert health.failed(probe) == (kind is not Kind.READINESS and not answer and run == [False] * needed)


def test_quick_tries_end_and_do_not_count_for_startup() -> None:
    startup, readiness = Probe(Kind.STARTUP, {}, period=10), Probe(Kind.READINESS, {}, period=10)
    delays = [startup.delay(tries, succeeded_once=False) for tries in range(1, 10)]
    assert delays[0] == 0.05
    assert delays[-1] == 10
    assert sum(delays[:7]) < 10
    assert not startup.counts(1, succeeded_once=False)
    assert startup.counts(9, succeeded_once=False)
    assert readiness.delay(1, succeeded_once=True) == 10
    assert Probe(Kind.LIVENESS, {}, period=5).delay(1, succeeded_once=False) == 5


def test_probe_targets() -> None:
    container = {"ports": [{"name": "web", "containerPort": 8080}]}
    action = {"httpGet": {"path": "x", "port": "web", "httpHeaders": [{"name": "Host", "value": "h"}]}}
    url, headers = http_target(action, container, "fd00::1")
    assert (url, headers["Host"]) == ("http://[fd00::1]:8080/x", "h")
    assert port_number("90", container) == 90
    with pytest.raises(ValueError, match="nothing"):
        port_number("nothing", container)


@given(st.lists(st.booleans(), max_size=60))
def test_addresses_are_unique_and_come_back_last(actions: list[bool]) -> None:
    pool = AddressPool(("10.1.0.0/29", "fd00:1::/64"))
    held: list[tuple[str, ...]] = []
    for take in actions:
        if take and len(held) < 5:
            new = pool.allocate()
            assert new not in held
            assert all(ip_address(one) in net for one, net in zip(new, pool.networks, strict=True))
            assert not set(new) & set(pool.gateways)
            held.append(new)
        elif held and not take:
            pool.release(held.pop(0))
    if len(held) == 5:
        with pytest.raises(PoolExhausted):
            pool.allocate()


def test_an_address_is_not_used_again_at_once() -> None:
    pool = AddressPool(("10.1.0.0/24",))
    first = pool.allocate()
    pool.release(first)
    assert pool.allocate() != first
    assert ip_address(first[0]) == ip_network("10.1.0.0/24")[2]


def test_exec_status() -> None:
    assert channels.exit_status(0)["status"] == "Success"
    assert channels.exit_status(-9)["details"]["causes"] == [{"reason": "ExitCode", "message": "137"}]
    assert channels.frame(channels.Channel.STDERR, b"x") == b"\x02x"
    assert channels.parse_size(b'{"Width":80,"Height":24}') == channels.Size(80, 24)
    for bad in (b"", b"[]", b'{"Width":80}', b'{"Width":-1,"Height":2}', json.dumps({"Width": "x"}).encode()):
        assert channels.parse_size(bad) is None


@given(st.binary(max_size=50).filter(lambda text: b"\n" not in text), st.booleans())
def test_a_log_line_is_shown_as_it_was_written(text: bytes, full: bool) -> None:
    line = logs.record("stdout", text, full)
    assert logs.shown(line, logs.Wanted()) == text + (b"\n" if full else b"")
