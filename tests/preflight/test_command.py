"""``nftconform preflight`` of recorded clusters: findings, exit codes, and one sentence for what makes no sense."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from conformance.cli import cli
from conformance.cli.preflight_subject import subject_of
from conformance.errors import KitError, UsageError
from conformance.preflight import Kind, findings
from tests.facts.recorded import CLUSTERS, read
from tests.preflight.subjects import TODAY

DATA = Path(__file__).parents[1] / "data" / "groundtruth" / "iptables"
SAID = ("version=v1.36.2", "proxy_mode=iptables", "node_port_addresses=", "localhost_node_ports=true", "cni=kindnet",
        "policy_engine=kindnet", "node_local_dns=false", "proxy_replacement=none")  # fmt: skip


def preflight(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["preflight", *map(str, arguments)], standalone_mode=False)


def lines(done: Result) -> list[dict[str, Any]]:
    assert done.exception is None, done.exception
    return [json.loads(line) for line in done.output.splitlines()]


def facts(*told: str) -> list[str]:
    return [word for one in told for word in ("--fact", one)]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The cluster of a real kube-proxy in iptables mode: its objects as a file, the rest as its topology says."""
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "objects.json").write_bytes(gzip.decompress((DATA / "objects.json.gz").read_bytes()))
    topology = json.loads(gzip.decompress((DATA / "topology.json.gz").read_bytes()))
    nft = topology["nft"].split()[1]
    values = {"kernels": topology["kernel"], "nft_versions": nft, "host_nft_versions": nft}
    of_nodes = [f"{name}={','.join(f'{node}={value}' for node in topology['nodes'])}"
                for name, value in values.items()]  # fmt: skip
    listing = {"nftables": [{"chain": {"family": "ip", "table": "filter", "name": "FORWARD", "hook": "forward",
                                       "policy": "drop"}}]}  # fmt: skip
    (folder / "dropping.json").write_text(json.dumps(listing))
    (folder / "open.json").write_text(json.dumps({"nftables": []}))
    return ["--objects", str(folder / "objects.json"), *facts(*SAID, *of_nodes),
            "--ruleset", f"n1={folder / 'dropping.json'}", "--ruleset", f"n2={folder / 'open.json'}"]  # fmt: skip


def test_a_recorded_cluster_service_by_service_and_node_by_node(recorded: list[str]) -> None:
    done = preflight(*recorded, "--json")
    assert done.return_value == 2
    told = lines(done)
    of: dict[str, set[str]] = {}
    for one in told:
        of.setdefault(one["kind"], set()).add(one["object"])
    objects = json.loads(gzip.decompress((DATA / "objects.json.gz").read_bytes()))["services"]
    with_ports = {f"{s['metadata'].get('namespace', 'default')}/{s['metadata']['name']}" for s in objects
                  if any(p.get("nodePort") for p in s["spec"]["ports"])}  # fmt: skip
    assert of["node-port-localhost"] == of["node-port-addresses"] == with_ports
    assert of["health-check-node-port"] == {f"default/lbl-{n}" for n in
                                            ("itpl-two", "mixterm", "none", "one", "term", "two")}  # fmt: skip
    affine = ("-one", "-two", "lb-two", "np-one", "np-two", "npl-one", "npl-two", "udp-two")
    assert of["affinity-forgotten"] == {f"default/aff{n}" for n in affine}
    assert of["firewall-drops"] == {"n1"}
    assert of["firewall-unknown"] == {"n3"}
    assert "default/udp-two" in of["known-issue"]
    assert of["configuration-unknown"] == {""}
    assert not {"blocker"} & {one["severity"] for one in told}
    assert set(told[0]) == {
        "severity", "kind", "scope", "object", "evidence", "learned", "means", "remedy", "source", "url"
    }  # fmt: skip


def test_the_same_as_a_table_ends_with_a_verdict(recorded: list[str]) -> None:
    done = preflight(*recorded)
    assert done.return_value == 2
    assert "node n1: chain ip filter FORWARD, hook forward, policy drop" in " ".join(done.output.split())
    assert "more; --json names them all" in done.output
    assert done.output.splitlines()[-1].startswith("No blocker is known, but look first: ")
    assert max(map(len, done.output.splitlines()[:-1])) <= 80


def test_an_old_kernel_blocks_whatever_is_accepted(recorded: list[str]) -> None:
    kinds = [word for kind in Kind for word in ("--accept", kind.value)]
    assert preflight(*recorded, *kinds).return_value == 0
    old = facts("kernels=n1=5.10.0-39-amd64,n2=6.1.0,n3=6.1.0")
    done = preflight(*recorded, *kinds, *old, "--json")
    assert done.return_value == 1
    (blocker,) = [one for one in lines(done) if one["severity"] == "blocker"]
    assert (blocker["kind"], blocker["object"], blocker["evidence"]) == (
        "kernel-too-old", "n1", "kernel 5.10.0-39-amd64"
    )  # fmt: skip


EXPECTED = {
    "kind": {Kind.NOT_TAKEN_UP},
    "eks": {Kind.COMPONENT},
    "aks": {Kind.COMPONENT, Kind.MODE_BY_DEFAULT},
    "weave": {Kind.COMPONENT, Kind.VERSION_TOO_OLD},
    "kubeadm-calico": {Kind.ALREADY, Kind.COMPONENT},
    "cilium": {Kind.REPLACED},
    "openshift": {Kind.REPLACED},
    "gke": {Kind.VERSION_TOO_OLD, Kind.COMPONENT_UNKNOWN},
}


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda p: p.stem)
def test_clusters_as_they_are_found(path: Path, tmp_path: Path) -> None:
    """What the API tells and what a file of the same objects tells are the same findings."""
    recorded_, held = read(path)
    version = (f"version={held['version']}",)
    live = findings(subject_of(recorded_, version, {}, (), TODAY))
    assert {f.kind for f in live} >= EXPECTED.get(path.stem, set())
    file = tmp_path / "objects.json"
    file.write_text(json.dumps({"kind": "List", "items": yaml.safe_load(path.read_text())["objects"]}))
    if held.get("pages"):  # what its kube-proxies answer is in no file
        return
    told = lines(preflight("--objects", file, *facts(*version), "--json"))
    heavy = {(f.kind.value, f.object) for f in live if f.severity.value in ("blocker", "warning")}
    assert {(one["kind"], one["object"]) for one in told if one["severity"] in ("blocker", "warning")} >= heavy - {
        ("component-unknown", "")
    }


@pytest.mark.parametrize("path", CLUSTERS, ids=lambda p: p.stem)
def test_without_any_permission_nothing_blocks_and_what_would_help_is_named(path: Path) -> None:
    denied = ("list nodes", "list daemonsets.apps", "list deployments.apps", "list pods", "list servicecidrs",
              "get configmaps", "get services", "list services", "get pods/proxy",
              "get installations.operator.tigera.io", "get felixconfigurations.crd.projectcalico.org")  # fmt: skip
    recorded_, _ = read(path, *denied)
    told = {f.kind: f for f in findings(subject_of(recorded_, ("version=v1.36.2",), {}, (), TODAY))}
    assert "grant 'list services'" in told[Kind.SERVICES_UNKNOWN].learned
    assert "grant 'get configmaps in kube-system'" in told[Kind.CONFIGURATION_UNKNOWN].learned
    assert "grant 'list nodes'" in told[Kind.NODES_UNKNOWN].learned
    assert not [f for f in told.values() if f.severity.value in ("blocker", "warning")]


def test_where_kube_proxy_is_replaced_there_is_nothing_to_migrate(tmp_path: Path) -> None:
    path = next(p for p in CLUSTERS if p.stem == "cilium")
    file = tmp_path / "objects.json"
    file.write_text(json.dumps({"kind": "List", "items": yaml.safe_load(path.read_text())["objects"]}))
    done = preflight("--objects", file)
    assert (done.return_value, done.output.splitlines()[-1]) == (0, "There is nothing to migrate.")


def test_hostile_objects_raise_nothing_and_steer_no_terminal(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07" + "x" * 3000
    objects = [
        {"kind": "Service", "metadata": {"name": evil, "namespace": evil}, "spec": {"ports": [{"port": "x"}]}},
        {"kind": "Service", "metadata": {}, "spec": 3},
        {"kind": "Node", "metadata": {"name": evil}, "status": {"nodeInfo": {"kernelVersion": evil, "osImage": 3}}},
        {"kind": "ConfigMap", "metadata": {"namespace": "kube-system", "name": "kube-proxy"},
         "data": {"config.conf": "kind: KubeProxyConfiguration\nmode: ipvs\niptables: 3\nipvs: {scheduler: [{b: c}]}"}},
        {"kind": "DaemonSet", "metadata": {"namespace": "kube-system", "name": "kube-proxy"},
         "spec": {"template": {"spec": {"containers": [{"name": "kube-proxy", "image": f"x/kube-proxy:{evil}"}]}}}},
    ]  # fmt: skip
    file = tmp_path / "objects.json"
    file.write_text(json.dumps({"items": objects}))
    done = preflight("--objects", file)
    assert done.exception is None, done.exception
    assert done.return_value == 2
    assert "\x1b" not in done.output
    assert "service-unreadable" in done.output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--objects", "{bad}"], "is no complete JSON"),
        (["--objects", "{none}"], "cannot be read"),
        (["--objects", "{empty}"], "holds no objects"),
        (["--objects", "{list}"], "holds no JSON object"),
        (["--objects", "{odd}"], "no object of an API"),
        (["--objects", "{good}", "--kubeconfig", "x"], "do not go together"),
        (["--objects", "{good}", "--ruleset", "n1"], "is not NODE=FILE"),
        (["--objects", "{good}", "--ruleset", "n1={none}"], "cannot be read"),
        (["--objects", "{good}", "--ruleset", "n1={good}"], "is no ruleset"),
        (["--objects", "{good}", "--ruleset", "n9={rules}"], "has no node 'n9'"),
        (["--objects", "{good}", "--fact", "cni"], "is not NAME=VALUE"),
        (["--kubeconfig", "{none}"], "none.json"),
    ],
)
def test_what_makes_no_sense(words: list[str], why: str, tmp_path: Path) -> None:
    files = {
        "bad": "{", "empty": "{}", "list": "[]", "odd": '{"items": [{"kind": [], "metadata": {}}]}',
        "rules": '{"nftables": []}',
        "good": '{"kind": "Node", "metadata": {"name": "n1"}, "status": {"nodeInfo": {"kernelVersion": "6.1.0"}}}',
    }  # fmt: skip
    places = {"none": tmp_path / "none.json"}
    for name, text in files.items():
        places[name] = tmp_path / f"{name}.json"
        places[name].write_text(text)
    with pytest.raises(KitError, match=why) as raised:
        _raise(preflight(*(word.format(**places) for word in words)))
    assert raised.value.exit_code == 3
    assert isinstance(raised.value, UsageError) or "kubeconfig" in words[0]


def _raise(done: Result) -> None:
    if done.exception:
        raise done.exception
