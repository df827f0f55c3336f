"""``python -m conformance.lab.faults.rules FOLDER ARGUMENT...``: nft, with the transaction rewritten on its way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from conformance.lab.faults.board import Board
from conformance.lab.faults.rules.every import REWRITES
from conformance.lab.faults.rules.registry import Refused
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Transaction, parse, render
from conformance.spec.faults import Fault


def main() -> int:
    """nft's exit code, or 1 where a fault makes the transaction fail."""
    board, arguments = Board(Path(sys.argv[1])), sys.argv[2:]
    if "-f" not in arguments or "-" not in arguments:
        os.execvp("nft", ["nft", *arguments])  # noqa: S606
    node = os.environ.get("NODE_NAME", "")
    given = sys.stdin.read()
    transaction = parse(given)
    # kube-proxy programs its two families side by side: neither may overwrite what a fault noted of the other.
    where = f"{node}.{transaction[0].family}" if transaction else node
    scenes = _scenes(board, node, where)
    try:
        for scene in scenes:
            transaction = _suffer(board, scene, where, transaction)
    except Refused as refused:
        sys.stderr.write(f"Error: {refused}\n")
        return 1
    done = subprocess.run(["nft", *arguments], input=render(transaction), text=True, check=False)
    if done.returncode == 0:
        for scene in scenes:
            for action in scene.afterwards:
                action()
    return done.returncode


def _scenes(board: Board, node: str, where: str) -> list[Scene]:
    here = [s for s in board.read(node) if Fault[s.fault] in REWRITES]
    return [Scene(switch, node, board.recall(where, switch.fault)) for switch in here]


def _suffer(board: Board, scene: Scene, where: str, transaction: Transaction) -> Transaction:
    before = dict(scene.memory)
    try:
        return REWRITES[Fault[scene.switch.fault]](transaction, scene)
    finally:
        if scene.memory != before:
            board.note(where, scene.switch.fault, scene.memory)


if __name__ == "__main__":
    sys.exit(main())
