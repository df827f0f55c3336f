"""What a rewrite remembers outlives the process that is one nft."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conformance.lab.faults.board import Board, Switch
from conformance.spec.faults import Fault

_ELEMENT = "element ip kube-proxy firewall-ips { 203.0.113.45 . tcp . 80"


def _nft(board: Board, transaction: str, reached: Path) -> str:
    """What reaches the kernel."""
    command = [sys.executable, "-m", "conformance.lab.faults.rules", str(board.folder), "-f", "-"]
    path = f"{reached.parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "NODE_NAME": "node-a", "REACHED": str(reached)}
    subprocess.run(command, input=transaction, text=True, check=True, env=environment)
    return reached.read_text()


def test_what_was_withheld_is_not_deleted_by_a_later_process(tmp_path: Path) -> None:
    kernel = tmp_path / "kernel" / "nft"
    kernel.parent.mkdir()
    kernel.write_text('#!/bin/sh\ncat > "$REACHED"\n')
    kernel.chmod(0o755)
    board = Board(tmp_path / "faults")
    board.install()
    board.write([Switch(Fault.SOURCE_RANGES_IGNORED.name)])
    reached = kernel.parent / "reached"
    other = "add element ip kube-proxy cluster-ips { 10.96.0.9 }\n"
    goes_to = "goto firewall-N4TWXLTW-default/web/tcp/http"
    assert _nft(board, f"{other}add {_ELEMENT} : {goes_to} }}\n", reached) == other
    assert _nft(board, f"{other}delete {_ELEMENT} }}\n", reached) == other
    # It is not withheld any more: deleting what is not there is kube-proxy's own mistake then.
    assert _nft(board, f"delete {_ELEMENT} }}\n", reached) == f"delete {_ELEMENT} }}\n"
