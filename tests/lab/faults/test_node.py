"""Faults on the node: every one of a node's sites has an injection, and what it works out is right."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from pathlib import Path

import pytest

from conformance.lab.faults.board import Switch
from conformance.lab.faults.node import impostors, tables
from conformance.lab.faults.node.every import INJECTIONS
from conformance.lab.faults.node.families import lone_ports
from conformance.lab.faults.node.health_checks import Answer, draining, served
from conformance.lab.faults.node.watching import is_meant
from conformance.lab.faults.rules.every import REWRITES
from conformance.lab.faults.scene import Scene, World
from conformance.spec.faults import DAMAGE, Fault, Site


def test_every_fault_of_a_node_can_be_put_in() -> None:
    of_nodes = {fault for fault, damage in DAMAGE.items() if damage.site in (Site.NODE, Site.WIRE)}
    assert of_nodes <= INJECTIONS.keys()
    assert all(DAMAGE[fault].site is Site.RULES and fault in REWRITES for fault in INJECTIONS.keys() - of_nodes)


def test_an_answer_counts_in_status_body_and_weight() -> None:
    well = Answer(200, {"localEndpoints": 1, "serviceProxyHealthy": True}, {"Content-Type": "application/json"})
    ill = well.counting(0)
    assert (ill.status, ill.body["localEndpoints"], ill.headers["X-Load-Balancing-Endpoint-Weight"]) == (503, 0, "0")
    assert ill.body["serviceProxyHealthy"] is True
    assert well.counting(2).status == 200


def test_draining_endpoints_of_one_node_are_counted_once_for_both_families() -> None:
    def slice_of(
        kind: str, address: str, node: str = "node-a", owner: str = "web", serving: bool = True
    ) -> dict[str, object]:
        conditions = {"ready": False, "serving": serving, "terminating": True}
        endpoint = {"addresses": [address], "nodeName": node, "conditions": conditions}
        labels = {"kubernetes.io/service-name": owner}
        return {"metadata": {"namespace": "ns", "labels": labels}, "addressType": kind, "endpoints": [endpoint]}

    slices = [
        slice_of("IPv4", "10.0.0.1"),
        slice_of("IPv6", "fd00::1"),
        slice_of("IPv4", "10.0.0.2", node="node-b"),
        slice_of("IPv4", "10.0.0.3", owner="other"),
        slice_of("IPv4", "10.0.0.4", serving=False),
    ]
    assert draining(slices, "ns/web", "node-a") == 1


def test_another_proxys_health_check_is_not_served() -> None:
    spec = {"healthCheckNodePort": 31000}
    labels = {"service.kubernetes.io/service-proxy-name": "other"}
    assert served({"metadata": {}, "spec": spec}) == 31000
    assert served({"metadata": {"labels": labels}, "spec": spec}) == 0
    assert served({"metadata": {}, "spec": {}}) == 0


def test_lone_ports_are_tcp_node_ports_of_one_family() -> None:
    ports = [{"port": 80, "nodePort": 30080}, {"port": 53, "nodePort": 30053, "protocol": "UDP"}, {"port": 81}]
    assert lone_ports({"spec": {"ipFamilies": ["IPv6"], "ports": ports}}) == {("ip6", 30080)}
    assert lone_ports({"spec": {"ipFamilies": ["IPv4", "IPv6"], "ports": ports}}) == set()


@pytest.mark.skipif(shutil.which("nft") is None, reason="needs nft")
@pytest.mark.parametrize("text", [impostors.redirecting({10256: 1024, 10249: 1025}), impostors.redirecting({})])
def test_nft_takes_the_redirections(text: str) -> None:
    command = ["unshare", "-Urn", "nft", "-f", "-"]
    done = subprocess.run(command, input=f"table inet t {{\n{text}\n}}\n", text=True, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_stand_in_answers_what_it_knows_and_passes_on_the_rest(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tables, "POD_FOLDER", tmp_path)
    real = tmp_path / "real"
    real.mkdir()
    (real / "nft").write_text('#!/bin/sh\necho "real: $*"\n')
    (real / "nft").chmod(0o755)
    mine = tmp_path / "tools" / "node-a"
    path = {"PATH": f"{mine}:{real}:/usr/bin:/bin"}

    def said(*arguments: str) -> str:
        return subprocess.run(["nft", *arguments], capture_output=True, text=True, env=path, check=False).stdout

    script = f'case "$*" in --version) echo old; exit 0;; esac\n{tables.REAL_NFT}'
    with tables.stand_in(Scene(Switch(Fault.NFT_TOO_OLD.name), "node-a"), "nft", script):
        assert (said("--version"), said("-f", "-")) == ("old\n", "real: -f -\n")
    assert said("--version") == "real: --version\n"
    assert list(mine.iterdir()) == []


@pytest.mark.parametrize(("switched", "node", "meant"), [("", "n2", True), ("", "n1", False), ("n1", "n1", True)])
def test_a_fault_of_one_node_is_the_last_ones_where_nobody_says(switched: str, node: str, meant: bool) -> None:
    where = Scene(Switch(Fault.FORWARDING_OFF.name, switched), node)
    where.__dict__["world"] = World((), (), tuple({"metadata": {"name": name}} for name in ("n1", "n2")))
    assert asyncio.run(is_meant(where)) is meant
