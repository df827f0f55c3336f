"""The switchboard, and the nft that looks at it."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from conformance.lab.faults.board import AFRESH, Board, Switch
from conformance.spec.faults import Fault

HAIRPIN = "add element ip kube-proxy hairpin-connections { 10.244.1.2 . 10.244.1.2 . tcp . 80 }\n"
OTHER = "add element ip kube-proxy cluster-ips { 10.96.0.1 }\n"


@pytest.fixture
def board(tmp_path: Path) -> Board:
    made = Board(tmp_path / "faults")
    made.install()
    return made


def nft(board: Board, text: str, *, arguments: tuple[str, ...] = ("-f", "-"), code: int = 0) -> tuple[int, str]:
    """The wrapper's exit code, and what the kernel's nft was asked: a stand-in notes it and exits with ``code``."""
    stand_in = board.folder.parent / "real" / "nft"
    stand_in.parent.mkdir(exist_ok=True)
    stand_in.write_text(f'#!/bin/sh\n{{ echo "$@"; cat; }} > {board.folder.parent}/asked\nexit {code}\n')
    stand_in.chmod(0o755)
    wrapper = board.folder / "bin"
    path = f"{wrapper}:{stand_in.parent}:{os.environ['PATH']}"
    done = subprocess.run(
        [wrapper / "nft", *arguments],
        input=text,
        text=True,
        env={"PATH": path, "NODE_NAME": "node-a"},
        check=False,
    )
    return done.returncode, (board.folder.parent / "asked").read_text()


def test_what_is_on_is_read_back_by_node(board: Board) -> None:
    here, there = Switch("NO_HAIRPIN", node="node-a"), Switch("ONE_PORT_MISSING", node="node-b", service="ns/web")
    board.write((here, there))
    assert board.read() == (here, there)
    assert board.read("node-b") == (there,)


def test_a_board_that_was_never_installed_has_nothing_on(tmp_path: Path) -> None:
    assert Board(tmp_path).read() == ()


def test_what_a_fault_noted_is_kept_apart_by_place_and_forgotten_together(board: Board) -> None:
    board.note("node-a", "ip", "NO_HAIRPIN", {"n": 1})
    board.note("node-a", "ip6", "NO_HAIRPIN", {"n": 2})
    board.note("node-a", "ip", "NO_SERVICE_RULES", {"n": 3})
    assert board.recall("node-a", "ip", "NO_HAIRPIN") == {"n": 1}
    board.forget("NO_HAIRPIN")
    assert board.recall("node-a", "ip", "NO_HAIRPIN") == board.recall("node-a", "ip6", "NO_HAIRPIN") == {}
    assert board.recall("node-a", "ip", "NO_SERVICE_RULES") == {"n": 3}


@pytest.mark.parametrize(
    ("service", "name", "about"),
    [
        ("", "web", True),
        ("web", "web", True),
        ("ns/web", "web", True),
        ("ns/web", "other", False),
        ("x/web", "web", False),
    ],
)
def test_a_switch_is_about_one_service_or_all(service: str, name: str, about: bool) -> None:
    assert Switch("NO_HAIRPIN", service=service).is_about("ns", name) is about


def test_while_nothing_is_on_nft_gets_what_it_was_given(board: Board) -> None:
    assert nft(board, HAIRPIN + OTHER) == (0, f"-f -\n{HAIRPIN}{OTHER}")


def test_while_a_fault_is_on_nft_gets_the_rewritten_transaction(board: Board) -> None:
    board.write([Switch(Fault.NO_SERVICE_RULES.name)])
    serving = "add element ip kube-proxy service-ips { 10.96.0.1 . tcp . 80 : goto service-ABCDEFGH-ns/web/tcp/http }\n"
    assert nft(board, serving) == (0, "-f -\n")


def test_a_fault_on_another_node_changes_nothing(board: Board) -> None:
    board.write([Switch(Fault.NO_HAIRPIN.name, node="node-b")])
    assert nft(board, HAIRPIN) == (0, f"-f -\n{HAIRPIN}")


def test_what_is_no_transaction_passes_and_nfts_exit_code_comes_back(board: Board) -> None:
    board.write([Switch(Fault.NO_HAIRPIN.name)])
    assert nft(board, "", arguments=("list", "tables"), code=3) == (3, "list tables\n")
    assert nft(board, HAIRPIN, code=1)[0] == 1


def test_a_fault_remembers_each_family_by_itself(board: Board) -> None:
    board.write([Switch(Fault.NODE_PORT_NOT_SERVED.name)])
    add = "add element {} kube-proxy service-nodeports {{ tcp . 30080 : goto external-AAAAAAAA-ns/web/tcp/http }}\n"
    nft(board, add.format("ip"))
    deletion = "delete element {} kube-proxy service-nodeports {{ tcp . 30080 }}\n"
    assert nft(board, deletion.format("ip6"))[1] == f"-f -\n{deletion.format('ip6')}"
    assert nft(board, deletion.format("ip"))[1] == "-f -\n"


def test_a_proxy_that_starts_afresh_writes_its_table_where_none_is(board: Board) -> None:
    board.write([Switch(AFRESH)])
    whole = 'add table ip kube-proxy { comment "rules for kube-proxy" ; }\n'
    assert nft(board, whole + OTHER)[1] == (
        f"-f -\nadd table ip kube-proxy\ndelete table ip kube-proxy\n{whole}{OTHER}"
    )
    assert nft(board, OTHER)[1] == f"-f -\n{OTHER}"


def test_a_table_that_is_written_afresh_owes_nothing_to_the_one_before(board: Board) -> None:
    board.write([Switch(AFRESH)])
    table = 'add table ip kube-proxy { comment "rules for kube-proxy" ; }\n'
    new = "add chain ip kube-proxy services\nflush chain ip kube-proxy services\n"
    old = "flush chain ip kube-proxy service-ABCDEFGH-ns/gone/tcp/\ndelete set ip kube-proxy affinity-ABCDEFGH\n"
    assert nft(board, OTHER) == (0, f"-f -\n{OTHER}")
    assert not board.recall("node-a", "ip", AFRESH)
    nothing = "add table ip kube-proxy\ndelete table ip kube-proxy\n"
    assert nft(board, table + new + old) == (0, f"-f -\n{nothing}{table}{new}")
    assert board.recall("node-a", "ip", AFRESH) == {"written": True}
