"""Every fault of the NetworkPolicy engine makes it write something else, which nft takes."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conformance.lab.faults.board import Board, Switch
from conformance.lab.faults.policy import Flaws
from conformance.lab.policy.compiling import compile_policies
from conformance.lab.policy.rendering import transaction
from conformance.lab.policy.view import World, world
from conformance.spec.faults import DAMAGE, Fault, Site

Json = dict[str, Any]

OF_THE_ENGINE = [fault for fault, damage in DAMAGE.items() if damage.site is Site.POLICY]


def _pod(name: str, number: int, namespace: str = "run") -> Json:
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {"pod": name}},
        "spec": {"nodeName": "n", "containers": [{"ports": [{"name": "web", "containerPort": 8080}]}]},
        "status": {"podIPs": [{"ip": f"10.0.0.{number}"}, {"ip": f"fd00::{number}"}]},
    }


def _policy(name: str, **spec: object) -> Json:
    about = {"matchLabels": {"pod": "ward"}}
    return {"metadata": {"name": name, "namespace": "run", "uid": name}, "spec": {"podSelector": about, **spec}}


PEER = {"podSelector": {"matchLabels": {"pod": "client"}}}
POLICIES = [
    _policy("a", ingress=[{"from": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.0.0.9/32"]}}]}]),
    _policy("b", ingress=[{"ports": [{"port": 80, "endPort": 90}, {"port": "web"}]}]),
    _policy("c", ingress=[{"from": [PEER | {"namespaceSelector": {"matchLabels": {"no": "such"}}}]}]),
    _policy("d", egress=[{"to": [PEER]}], policyTypes=["Egress"]),
    {**_policy("e", ingress=[{}]), "spec": {"podSelector": {"matchLabels": {"pod": "open"}}, "ingress": [{}]}},
    {**_policy("f"), "spec": {"podSelector": {"matchLabels": {"pod": "shut"}}}},
]
PODS = [_pod(name, i) for i, name in enumerate(("ward", "client", "open", "shut"), 1)] + [_pod("ward", 9, "other")]
NOW = world(POLICIES, PODS, [{"metadata": {"name": "run"}}, {"metadata": {"name": "other"}}])
CHANGED = world([_policy("a"), *POLICIES[1:]], PODS, [{"metadata": {"name": "run"}}])


def written(flaws: Flaws, now: World = NOW) -> str:
    return flaws.written("n", True, transaction(compile_policies(flaws.seen(now), "n")))


@pytest.mark.parametrize("fault", OF_THE_ENGINE, ids=lambda fault: fault.word)
def test_a_faulty_engine_writes_something_else(tmp_path: Path, fault: Fault) -> None:
    board = Board(tmp_path)
    board.install()
    flaws = Flaws(tmp_path)
    healthy, changed = written(flaws), written(flaws, CHANGED)
    board.write([Switch(fault.name)])
    text = written(flaws)
    if fault is Fault.NETWORK_POLICY_CHANGE_IGNORED:
        assert text == healthy
        assert written(flaws, CHANGED) == healthy != changed
    else:
        assert text != healthy
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = ["unshare", *user, "--net", "nft", "-f", "-"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr}\n{text}"
    board.write([])
    assert written(flaws) == healthy


def test_an_engine_without_a_switchboard_is_well() -> None:
    assert written(Flaws(None)) == transaction(compile_policies(NOW, "n"))
