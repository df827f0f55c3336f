"""What the proxy makes of events: parsed once, compared, and nothing told that changed nothing."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import pytest

from conformance.lab.proxy.view import View
from conformance.model.addresses import Family
from tests.lab.proxy.daemon import node, one_slice, service


class Told:
    def __init__(self) -> None:
        self.families: list[tuple[Family, ...]] = []

    def __call__(self, families: Iterable[Family]) -> None:
        self.families.append(tuple(families))


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def view(told: Told) -> View:
    return View(told)


def labelled(item: dict[str, Any], **metadata: Any) -> dict[str, Any]:  # noqa: ANN401
    return {**item, "metadata": {**item["metadata"], **metadata}}


def test_what_changes_nothing_is_not_told(view: View, told: Told) -> None:
    view.on_service("ADDED", service("web", "10.96.0.1"))
    view.on_slice("ADDED", one_slice("web", "10.244.1.1"))
    assert told.families == [tuple(Family), (Family.IPV4,)]
    view.on_service("MODIFIED", labelled(service("web", "10.96.0.1"), annotations={"a": "b"}))
    view.on_slice("MODIFIED", labelled(one_slice("web", "10.244.1.1"), generation=2))
    view.on_service("ADDED", service("headless", "None"))
    assert len(told.families) == 2


def test_changes_are_taken_once_and_by_family(view: View) -> None:
    view.on_service("ADDED", service("web", "10.96.0.1"))
    assert view.take(Family.IPV4).services == {"default/web"}
    assert view.take(Family.IPV4).services == set()
    view.on_slice("ADDED", one_slice("web", "10.244.1.1"))
    assert view.take(Family.IPV4).services == {"default/web"}
    assert view.take(Family.IPV6).services == {"default/web"}  # the Service's own change


def test_slice_that_changes_its_service_leaves_the_old_one(view: View) -> None:
    one = one_slice("web", "10.244.1.1")
    view.on_slice("ADDED", one)
    view.on_slice("MODIFIED", labelled(one, labels={"kubernetes.io/service-name": "other"}))
    assert [list(view.slices(f"default/{name}")) == [] for name in ("web", "other")] == [True, False]
    assert view.take(Family.IPV4).services == {"default/web", "default/other"}
    view.on_slice("MODIFIED", labelled(one, labels={}))
    assert list(view.slices("default/other")) == []
    view.on_slice("ADDED", one)
    view.on_slice("DELETED", one)
    assert list(view.slices("default/web")) == []


def test_oldest_service_comes_first(view: View) -> None:
    view.on_service("ADDED", labelled(service("b", "10.96.0.1"), creationTimestamp="2026-01-01T00:00:02Z"))
    view.on_service("ADDED", labelled(service("c", "10.96.0.2"), creationTimestamp="2026-01-01T00:00:01Z"))
    view.on_service("ADDED", labelled(service("a", "10.96.0.3"), creationTimestamp="2026-01-01T00:00:02Z"))
    assert [s.name for s in view.services] == ["c", "a", "b"]


def test_object_that_makes_no_sense_is_as_good_as_gone(view: View) -> None:
    view.on_service("ADDED", service("web", "10.96.0.1"))
    view.on_service("MODIFIED", service("web", "not an address"))
    assert view.services == []
    view.on_service("DELETED", service("web", "not an address"))
    view.on_slice("ADDED", {**one_slice("web", "10.244.1.1"), "addressType": "FQDN"})
    assert list(view.slices("default/web")) == []


def test_only_changes_made_while_we_ran_are_timed(view: View) -> None:
    view.on_slice("ADDED", one_slice("web", "10.244.1.1"))
    old = one_slice("web", "10.244.1.2")
    old["metadata"]["annotations"]["endpoints.kubernetes.io/last-change-trigger-time"] = "2020-01-01T00:00:00.5Z"
    view.on_slice("MODIFIED", old)
    (triggered,) = view.take(Family.IPV4).triggers
    assert abs(triggered - time.time()) < 5


def test_a_deleted_node_stays_what_rules_are_made_for(view: View, told: Told) -> None:
    view.on_node("ADDED", node())
    view.on_node("MODIFIED", node(spec={"taints": [{"key": "x"}]}))
    view.on_node("DELETED", node())
    assert view.node is not None
    assert len(told.families) == 1
