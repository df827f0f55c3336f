"""Waiting: until it is so, as often as it must be, and with the last state when time is up."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.arrange import lacking
from conformance.arrange.waits import NotConverged, Wait, converge


def answers(*words: str) -> Iterator[str]:
    yield from words
    while True:
        yield words[-1]


def test_it_returns_what_it_saw() -> None:
    seen = answers("no", "no", "yes")
    assert converge(Wait("a yes", 5, 0.001), lambda: next(seen), lambda s: "" if s == "yes" else "none yet") == "yes"


def test_successes_must_follow_each_other() -> None:
    looks = iter("ynyynyyy" + "-")
    converge(Wait("calm", 5, 0.001, successes=3), lambda: next(looks), lambda s: "" if s == "y" else "shaky")
    assert list(looks) == ["-"]


def test_changes_only_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    seen = answers("1 pod", "1 pod", "2 pods", "")
    with caplog.at_level(logging.INFO):
        converge(Wait("pods", 5, 0.001), lambda: next(seen), lambda s: s)
    assert [r.getMessage().removeprefix("waiting for pods: ") for r in caplog.records] == ["1 pod", "2 pods", "there"]


def test_the_end_of_patience_carries_the_last_state() -> None:
    begun = time.monotonic()
    with pytest.raises(NotConverged, match=r"Gave up after 0 s waiting for rain: sunny\.") as failure:
        converge(Wait("rain", 0.1, 0.02, hint="Dance."), lambda: "sunny", lambda s: s)
    assert 0.1 <= time.monotonic() - begun < 1
    assert failure.value.hint == "Dance."


def pod(name: str, **status: object) -> dict[str, Any]:
    return {"metadata": {"name": name}, "status": status}


READY = {"conditions": [{"type": "Ready", "status": "True"}]}


def test_pods_that_lack_something() -> None:
    waiting = {"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}}
    cordoned = [{"type": "PodScheduled", "status": "False", "message": "0/3 nodes"}]
    seen = [pod("a", **READY), pod("b", containerStatuses=[waiting]), pod("c", conditions=cordoned), pod("d")]
    assert lacking.pods(["a"], seen) == ""
    assert lacking.pods(["b"], seen) == "b is ImagePullBackOff no such image"
    assert lacking.pods(["c", "e"], seen) == "c is unschedulable: 0/3 nodes; e does not exist"
    assert lacking.pods(list("defghijk"), seen).endswith("and 3 more")
    running = pod("r", containerStatuses=[{"state": {"running": {}}}])
    assert lacking.pods(["r"], [running], never_ready=["r"]) == ""
    assert lacking.pods(["b", "x"], seen, never_ready=["b", "x"]) == "b does not run; x does not exist"
    ended = {"metadata": {"name": "f"}, "status": {"phase": "Failed"}}
    assert lacking.pods(["f"], [ended], failed=["f"]) == ""
    assert lacking.pods(["f", "x"], [], failed=["f", "x"]) == "f does not exist; x does not exist"
    assert lacking.pods(["r"], [running], failed=["r"]) == "r is Pending, not Failed"


def test_the_last_warning_about_a_pod_is_told() -> None:
    def event(kind: str, weight: str, message: str, **when: str) -> dict[str, Any]:
        about = {"kind": kind, "name": "client-a"}
        return {"type": weight, "reason": "Failed", "message": message, "involvedObject": about, **when}

    events = [
        event("Pod", "Warning", "later", lastTimestamp="2026-01-01T00:00:02Z"),
        event("Pod", "Warning", "earlier", lastTimestamp="2026-01-01T00:00:01Z"),
        event("Pod", "Normal", "well", lastTimestamp="2026-01-01T00:00:03Z"),
        event("Service", "Warning", "else", lastTimestamp="2026-01-01T00:00:04Z"),
    ]
    assert lacking.warning(events) == " The last event says of client-a: Failed: later."
    newer = event("Pod", "Warning", "Invalid argument.", eventTime="2026-01-01T00:00:05.000000Z", lastTimestamp="")
    assert lacking.warning([*events, newer]) == " The last event says of client-a: Failed: Invalid argument."
    assert not lacking.warning(events[2:])


SERVICE = {"metadata": {"name": "web"}, "spec": {"ipFamilies": ["IPv4", "IPv6"]}}


def one(family: str, *pods: str, ready: bool = True) -> dict[str, Any]:
    ends = [{"targetRef": {"name": p}, "conditions": {"ready": ready}} for p in pods]
    labels = {"kubernetes.io/service-name": "web"}
    return {"metadata": {"labels": labels}, "addressType": family, "endpoints": ends}


def test_endpoints_must_be_exactly_the_expected_ones_in_each_family() -> None:
    expected = {"web": frozenset({"a", "b"})}
    both = [one("IPv4", "a"), one("IPv4", "b"), one("IPv6", "a", "b")]
    assert lacking.endpoints(expected, [SERVICE], both) == ""
    assert "web (IPv6) has none" in lacking.endpoints(expected, [SERVICE], both[:2])
    assert "web (IPv4) has ['a', 'b', 'c']" in lacking.endpoints(expected, [SERVICE], [*both, one("IPv4", "c")])
    assert lacking.endpoints(expected, [SERVICE], [*both[:2], one("IPv6", "a", "b", ready=False)])
    assert lacking.endpoints(expected, [], both) == "Service web does not exist"
    assert lacking.endpoints({"web": frozenset()}, [SERVICE], []) == ""


def test_load_balancers_without_an_address() -> None:
    def one(name: str, kind: str, **status: object) -> dict[str, Any]:
        return {"metadata": {"name": name}, "spec": {"type": kind}, "status": {"loadBalancer": status}}

    assert lacking.ingresses([one("a", "ClusterIP"), one("b", "LoadBalancer", ingress=[{"ip": "192.0.2.1"}])]) == ""
    assert lacking.ingresses([one("c", "LoadBalancer")]) == "c"


def test_one_endpoint_in_every_family_will_do_where_any_will() -> None:
    wanted = frozenset({"a", "b"})
    assert lacking.any_of(wanted, SERVICE, [one("IPv4", "a"), one("IPv6", "b")]) == ""
    others = [one("IPv4", "a", "b"), one("IPv6", "c")]
    assert lacking.any_of(wanted, SERVICE, others) == "web (IPv6) has none of ['a', 'b']"
    assert lacking.any_of(wanted, SERVICE, [one("IPv4", "a"), one("IPv6", "b", ready=False)])
    assert lacking.any_of(frozenset(), SERVICE, []) == "", "a Service that is to have none"
