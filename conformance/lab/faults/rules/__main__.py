"""``python -m conformance.lab.faults.rules FOLDER ARGUMENT...``: nft, with the transaction rewritten on its way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from conformance.lab.faults import mutation
from conformance.lab.faults.board import MUTANT, RECORD, Board, Switch
from conformance.lab.faults.rules.every import REWRITES
from conformance.lab.faults.rules.registry import Refused, Rewrite
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
        # A node's proxy may write both families at once, and what faults remember is the node's.
        with board.locked(node):
            transaction, scenes = _suffer(board, node, parse(given))
    except Refused as refused:
        sys.stderr.write(f"Error: {refused}\n")
        return 1
    text = render(transaction)
    code = subprocess.run(["nft", *arguments], input=text, text=True, check=False).returncode
    if code == 0:
        if any(switch.fault == RECORD for switch in board.read(node)):
            with board.locked(node):
                board.record(node, text)
        for scene in scenes:
            for action in scene.afterwards:
                action()
    elif mutants := [scene for scene in scenes if scene.switch.fault == MUTANT]:
        with board.locked(node):
            board.note(node, MUTANT, mutants[0].memory | {"refused": True})
    return code


def _suffer(board: Board, node: str, transaction: Transaction) -> tuple[Transaction, list[Scene]]:
    scenes = []
    for switch in board.read(node):
        if rewrite := _rewrite(switch):
            scene = Scene(switch, node, board.recall(node, switch.fault))
            scenes.append(scene)
            before = json.dumps(scene.memory)
            try:
                transaction = rewrite(transaction, scene)
            finally:
                if json.dumps(scene.memory) != before:
                    board.note(node, switch.fault, scene.memory)
    return transaction, scenes


def _rewrite(switch: Switch) -> Rewrite | None:
    if switch.fault == MUTANT:
        return mutation.mutate
    return None if switch.fault == RECORD else REWRITES.get(Fault[switch.fault])


if __name__ == "__main__":
    sys.exit(main())
