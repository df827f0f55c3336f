"""``nftconform expect`` as a user calls it, bad input included."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from conformance.cli.expect import expect
from conformance.cli.scenario import read_scenario
from conformance.errors import UsageError

DATA = Path(__file__).parents[1] / "data" / "groundtruth" / "nftables"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The recorded scenario, cut down to every fiftieth cell."""
    for packed in DATA.glob("*.gz"):
        (tmp_path / packed.stem).write_bytes(gzip.decompress(packed.read_bytes()))
    cells = tmp_path / "cells.jsonl"
    cells.write_text("".join(line + "\n" for line in cells.read_text().splitlines()[::50]))
    return tmp_path


def called(*args: str) -> tuple[int, list[str]]:
    result = CliRunner().invoke(expect, args, standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.return_value, result.output.splitlines()


def test_check(folder: Path) -> None:
    code, lines = called(str(folder), "--check")
    assert code == 0
    assert lines[-1].startswith("112 cells: ")
    assert lines[-1].endswith(" 0 disagree")


def test_check_lists_a_disagreement_with_its_reasons(folder: Path) -> None:
    cells = folder / "cells.jsonl"
    lines = cells.read_text().splitlines()
    forged = json.loads(lines[0]) | {"out": {"nobody\x1b[2J|10.9.9.9": 24}}
    cells.write_text("\n".join([json.dumps(forged), *lines[1:]]))
    code, said = called(str(folder), "--check")
    assert code == 1
    assert said[-1].endswith(" 1 disagree")
    block = "\n".join(said)
    assert "nobody\\x1b[2J answered" in block
    assert "  because   " in block


def test_one_line_of_json_a_cell(folder: Path) -> None:
    code, lines = called(str(folder))
    assert code == 0
    assert len(lines) == 112
    first = json.loads(lines[0])
    assert first["expect"]["outcome"] == "reaches"
    assert first["expect"]["targets"][0]["pod"] == "o1"
    assert all(r["text"] and r["source"] for r in first["reasons"])


def test_without_cells_every_client_asks_for_every_address(folder: Path) -> None:
    (folder / "cells.jsonl").unlink()
    code, lines = called(str(folder))
    assert code == 0
    assert {json.loads(line)["kind"].partition("@")[0] for line in lines} == {
        "clusterIP",
        "nodePort",
        "externalIP",
        "loadBalancer",
    }


def test_the_words_of_a_recording_may_be_its_own(folder: Path) -> None:
    """Another kind of address, a protocol in small letters, a node that is its own, the errno of silence."""
    topology = json.loads((folder / "topology.json").read_text())
    del topology["clients"]["n1"]["node"]
    (folder / "topology.json").write_text(json.dumps(topology))
    cell = {"client": "n1", "service": "udp-two", "kind": "clusterIP-otherproto", "ip": "10.96.99.99", "port": 80}
    ends = {"proto": "tcp", "out": {"ETIMEDOUT": 3}}
    (folder / "cells.jsonl").write_text(json.dumps(cell | ends) + "\n")
    assert called(str(folder), "--check") == (0, ["1 cells: 1 agree, 0 unspecified, 0 disagree"])


def test_a_recording_names_every_machine_and_where_it_is(folder: Path) -> None:
    state = read_scenario(folder).state
    assert state.closed
    assert state.homes["10.244.1.21"] == "n1"
    assert state.homes["fd44:2::12"] == "n2"
    assert state.homes["172.30.99.101"] == ""


def forget(folder: Path, name: str) -> None:
    (folder / name).unlink()


def cut(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:-40])


def replaced(name: str, text: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).write_text(text)


def edited(name: str, change: Callable[[dict[str, object]], object]) -> Callable[[Path], None]:
    def edit(folder: Path) -> None:
        plain = json.loads((folder / name).read_text())
        change(plain)
        (folder / name).write_text(json.dumps(plain))

    return edit


@pytest.mark.parametrize(
    ("spoil", "cause"),
    [
        (lambda f: forget(f, "topology.json"), "topology.json is missing"),
        (lambda f: forget(f, "objects.json"), "objects.json is missing"),
        (lambda f: forget(f, "cells.jsonl"), "holds no recorded ends"),
        (lambda f: cut(f, "topology.json"), "topology.json is no complete JSON"),
        (lambda f: cut(f, "objects.json"), "objects.json is no complete JSON"),
        (lambda f: cut(f, "cells.jsonl"), "cells.jsonl line 112 is no complete JSON"),
        (replaced("topology.json", "[]"), "holds no JSON object"),
        (replaced("topology.json", "{}"), "'nodes'"),
        (replaced("cells.jsonl", '{"client": "c1"}\n'), "line 1 lacks or garbles 'kind'"),
        (replaced("cells.jsonl", "7\n"), "line 1 lacks or garbles"),
        (lambda f: (f / "objects.json").write_bytes(b"\xff\xfe"), "cannot be read"),
        (edited("objects.json", lambda o: o.pop("endpointslices")), "'endpointslices'"),
        (edited("topology.json", lambda t: t.pop("clients")), "'clients'"),
        (edited("topology.json", lambda t: t["kubeProxy"].update(mode="ebpf")), "ebpf"),  # type: ignore[attr-defined]
        (edited("objects.json", lambda o: o["services"].append({"kind": "Pod"})), "expected a Service"),  # type: ignore[attr-defined]
    ],
)
def test_bad_folders_are_one_sentence_and_exit_3(folder: Path, spoil: Callable[[Path], object], cause: str) -> None:
    spoil(folder)
    with pytest.raises(UsageError) as caught:
        called(str(folder), "--check")
    assert cause in caught.value.cause
    assert "\n" not in caught.value.cause
    assert caught.value.exit_code == 3


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is no folder"):
        called(str(tmp_path / "nowhere"))
