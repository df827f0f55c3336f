"""What a user says about nodes, images and safety."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from conformance.arrange.run import AGENT_IMAGE, Run, image_of
from conformance.arrange.terms import Terms, toleration
from conformance.errors import UsageError

TAINTED = {"metadata": {"labels": {"pool": "test"}}, "spec": {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}}
PLAIN = {"metadata": {"labels": {"pool": "test"}}, "spec": {}}


@pytest.mark.parametrize(
    ("terms", "tainted", "plain"),
    [
        (Terms(), True, True),
        (Terms(toleration=("none",)), False, True),
        (Terms(toleration=("gpu",)), True, True),
        (Terms(toleration=("gpu=big",)), False, True),
        (Terms(toleration=("gpu:NoExecute",)), False, True),
        (Terms(toleration=("other", "gpu:NoSchedule")), True, True),
        (Terms(node_selector=("pool=test",)), True, True),
        (Terms(node_selector=("pool=test", "disk=ssd")), False, False),
        (Terms(node_selector=("pool=",)), False, False),
    ],
)
def test_which_nodes_may_be_used(terms: Terms, tainted: bool, plain: bool) -> None:
    assert (terms.admits(TAINTED), terms.admits(PLAIN)) == (tainted, plain)


def test_a_preference_keeps_nobody_away() -> None:
    taint = {"key": "x", "effect": "PreferNoSchedule"}
    assert Terms(toleration=("none",)).admits({"metadata": {}, "spec": {"taints": [taint]}})


def test_a_toleration_is_one_of_the_api() -> None:
    assert toleration("a=b:NoExecute") == {"key": "a", "operator": "Equal", "value": "b", "effect": "NoExecute"}
    assert toleration("a") == {"key": "a", "operator": "Exists"}
    assert Terms().tolerations == [{"operator": "Exists"}]
    assert Terms(toleration=("none",)).tolerations == []


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"node_selector": ("pool",)}, "is not KEY=VALUE"),
        ({"toleration": ("a:Sometimes",)}, "is not KEY"),
        ({"toleration": ("=b",)}, "is not KEY"),
        ({"image_pull_secret": "registry"}, "is not NAMESPACE/NAME"),
        ({"registry_mirror": "https://mirror"}, "is no host"),
        ({"max_nodes": -1}, "is no number of nodes"),
    ],
)
def test_what_says_nothing_is_refused(said: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        Terms(**said)


def test_the_same_is_said_again_and_survives_the_way_to_a_worker() -> None:
    terms = Terms(max_nodes=2, toleration=("a", "b"), keep_on_failure=True)
    words = [("--max-nodes", "2"), ("--toleration", "a"), ("--toleration", "b"), ("--keep-on-failure",)]
    assert list(terms.again) == words
    assert Terms.of(dataclasses.asdict(terms)) == terms
    assert Terms().again == ()


def test_the_default_image_is_pinned_by_digest_and_a_mirror_has_the_same() -> None:
    assert "@sha256:" in AGENT_IMAGE
    assert image_of(None) == AGENT_IMAGE == Run().image
    mirrored = image_of(None, "mirror.example:5000/hub/")
    assert mirrored == f"mirror.example:5000/hub/{AGENT_IMAGE.removeprefix('docker.io/')}"
    assert image_of("own:1") == "own:1"
