"""``nftconform audit`` of files: findings, exit codes, and one sentence for what makes no sense."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from conformance.cli import cli
from conformance.errors import UsageError
from tests.audit.recorded import DATA, NODES, text, unpack


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("scenario")
    unpack(made)
    for node in NODES:
        (made / f"ruleset-{node}.json").write_text(text(node))
    return made


def audit(*arguments: str | Path) -> Result:
    return CliRunner().invoke(cli, ["audit", *map(str, arguments)], standalone_mode=False)


def files(folder: Path, *rulesets: Path) -> list[str | Path]:
    given = [word for path in rulesets for word in ("--ruleset", path)]
    return [*given, "--objects", folder / "objects.json", "--topology", folder / "topology.json"]


def test_a_recorded_scenario(folder: Path) -> None:
    done = audit("--scenario", folder, "--strict")
    assert (done.return_value, done.output) == (0, "no finding on 3 nodes: n1, n2, n3\n")


def test_one_node_of_it(folder: Path) -> None:
    assert audit("--scenario", folder, "--node", "n2").output == "no finding on 1 node: n2\n"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """n1's listing with one address gone and a name that would steer a terminal."""
    plain = json.loads(text("n1").replace("10.96.65.255", "10.96.65.254"))
    name = "\x1b[2Jmine[bold]"
    plain["nftables"].append({"chain": {"family": "ip", "table": "kube-proxy", "name": name}})
    path = tmp_path / "ruleset.json"
    path.write_text(json.dumps(plain))
    return path


def test_findings(folder: Path, hostile: Path) -> None:
    done = audit(*files(folder, hostile), "--node", "n1")
    assert done.return_value == 1
    assert "\x1b" not in done.output
    assert "\\x1b[2Jmine[bold]" in "".join(done.output.split())
    assert done.output.endswith("findings on 1 node: n1\n")


def test_findings_as_json(folder: Path, hostile: Path) -> None:
    done = audit(*files(folder, hostile), "--node", "n1", "--json")
    found = [json.loads(line) for line in done.output.splitlines()]
    assert {f["kind"] for f in found} == {"missing", "stale", "foreign"}
    assert set(found[0]) == {"node", "family", "kind", "object", "where", "there", "expected", "source"}
    assert ("missing", "default/cip-two:http") in {(f["kind"], f["object"]) for f in found}


def test_a_family_in_each_file(folder: Path, tmp_path: Path) -> None:
    plain = json.loads(text("n3"))["nftables"]
    paths = []
    for family in ("ip", "ip6"):
        mine = [o for o in plain if next(iter(o.values())).get("family", family) == family]
        paths.append(tmp_path / f"{family}.json")
        paths[-1].write_text(json.dumps({"nftables": mine}))
    assert audit(*files(folder, *paths), "--node", "n3").return_value == 0
    with pytest.raises(UsageError, match="IPv4 table, as another file did"):
        raised(audit(*files(folder, paths[0], paths[0]), "--node", "n3"))


def raised(done: Result) -> None:
    """The error that the command ended with, for `main` to print."""
    if done.exception:
        raise done.exception


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--scenario", "{folder}", "--node", "n9"], "no ruleset-n9.json"),
        (["--scenario", "{folder}", "--objects", "{folder}/objects.json"], "do not go together"),
        (["--scenario", "{folder}", "--kubeconfig", "x"], "do not go together"),
        (["--ruleset", "{folder}/ruleset-n1.json"], "not complete"),
        (["--scenario", "{empty}"], "holds no ruleset-NODE.json"),
        (["--scenario", "{iptables}"], "of mode iptables"),
        (["{files}", "--ruleset", "{folder}/ruleset-n1.json", "--node", "n9"], "knows no node 'n9'"),
        (["{files}", "--ruleset", "{folder}/topology.json", "--node", "n1"], "is no ruleset"),
        (["--scenario", "{odd}"], "does not appear to be"),
        (["{files}", "--ruleset", "{folder}/none.json", "--node", "n1"], "cannot be read"),
    ],
)
def test_what_makes_no_sense(folder: Path, tmp_path: Path, words: list[str], why: str) -> None:
    empty, iptables = tmp_path / "empty", tmp_path / "iptables"
    empty.mkdir()
    iptables.mkdir()
    unpack(iptables, DATA / "groundtruth" / "iptables")
    (iptables / "ruleset-n1.json").write_text("")
    odd = shutil.copytree(folder, tmp_path / "odd")
    (odd / "topology.json").write_text((odd / "topology.json").read_text().replace("10.96.0.0/16", "10.96/x"))
    given: list[str | Path] = []
    for word in words:
        if word == "{files}":
            given += files(folder)
        else:
            given.append(word.format(folder=folder, empty=empty, iptables=iptables, odd=odd))
    with pytest.raises(UsageError, match=why):
        raised(audit(*given))
