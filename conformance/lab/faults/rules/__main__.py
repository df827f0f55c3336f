"""``python -m conformance.lab.faults.rules FOLDER ARGUMENT...``: nft, with the transaction rewritten on its way."""

from __future__ import annotations

import contextlib
import copy
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
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
    try:
        with _alone(board, node):
            scenes = _scenes(board, node)
            transaction = parse(given)
            for scene in scenes:
                transaction = _suffer(board, scene, transaction)
    except Refused as refused:
        sys.stderr.write(f"Error: {refused}\n")
        return 1
    done = subprocess.run(["nft", *arguments], input=render(transaction), text=True, check=False)
    if done.returncode == 0:
        for scene in scenes:
            for action in scene.afterwards:
                action()
    return done.returncode


@contextlib.contextmanager
def _alone(board: Board, node: str) -> Iterator[None]:
    """A node's kube-proxy writes both families at once; neither may overwrite what a fault remembers of the other."""
    with (board.folder / "memory" / f"{node}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _scenes(board: Board, node: str) -> list[Scene]:
    here = [s for s in board.read(node) if Fault[s.fault] in REWRITES]
    return [Scene(switch, node, board.recall(node, switch.fault)) for switch in here]


def _suffer(board: Board, scene: Scene, transaction: Transaction) -> Transaction:
    before = copy.deepcopy(scene.memory)
    try:
        return REWRITES[Fault[scene.switch.fault]](transaction, scene)
    finally:
        if scene.memory != before:
            board.note(scene.node, scene.switch.fault, scene.memory)


if __name__ == "__main__":
    sys.exit(main())
