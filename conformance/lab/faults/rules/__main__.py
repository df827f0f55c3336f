"""``python -m conformance.lab.faults.rules FOLDER ARGUMENT...``: nft, with the transaction rewritten on its way."""

from __future__ import annotations

import copy
import os
import sys
from pathlib import Path
from typing import NoReturn

from conformance.lab.faults import mutation
from conformance.lab.faults.board import AFRESH, MUTANT, RECORD, Board, Switch
from conformance.lab.faults.rules.afresh import afresh
from conformance.lab.faults.rules.every import REWRITES
from conformance.lab.faults.rules.registry import Refused, Rewrite
from conformance.lab.faults.rules.shape import is_full
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Transaction, parse, render
from conformance.spec.faults import Fault


def main() -> int:
    """nft's exit code, or 1 where a fault makes the transaction fail."""
    board, arguments = Board(Path(sys.argv[1])), sys.argv[2:]
    if "-f" not in arguments or "-" not in arguments:
        os.execvp("nft", ["nft", *arguments])  # noqa: S606
    node = os.environ.get("NODE_NAME", "")
    transaction = parse(sys.stdin.read())
    family = transaction[0].family if transaction else ""
    try:
        transaction, scenes = _suffer(board, node, family, transaction)
    except Refused as refused:
        sys.stderr.write(f"Error: {refused}\n")
        return 1
    for scene in scenes:
        for action in scene.beforehand:
            action()
    text = render(transaction)
    watched = any(scene.afterwards or scene.switch.fault in (MUTANT, AFRESH) for scene in scenes)
    if not watched and not _records(board, node):
        _become_nft(arguments, text)
    import subprocess  # noqa: PLC0415  (most transactions need none)

    code = subprocess.run(["nft", *arguments], input=text, text=True, check=False).returncode
    if code == 0:
        if _records(board, node):
            board.record(node, family, text)
        for scene in scenes:
            for action in scene.afterwards:
                action()
    else:
        for scene in scenes:
            if scene.switch.fault == MUTANT and scene.memory["fresh"]:
                board.note(node, family, MUTANT, scene.memory | {"refused": True})
    if is_full(transaction) and any(scene.switch.fault == AFRESH for scene in scenes):
        board.note(node, family, AFRESH, {"written": code == 0})
    return code


def _records(board: Board, node: str) -> bool:
    return any(switch.fault == RECORD for switch in board.read(node))


def _become_nft(arguments: list[str], text: str) -> NoReturn:
    """Nothing is left to do when nft has done its work: it may have this process."""
    fd = os.memfd_create("transaction")
    os.write(fd, text.encode())
    os.lseek(fd, 0, os.SEEK_SET)
    os.dup2(fd, 0)
    os.execvp("nft", ["nft", *arguments])  # noqa: S606


def _suffer(board: Board, node: str, family: str, transaction: Transaction) -> tuple[Transaction, list[Scene]]:
    scenes = []
    for switch in board.read(node):
        if rewrite := _rewrite(switch):
            scene = Scene(switch, node, board.recall(node, family, switch.fault))
            scenes.append(scene)
            before = copy.deepcopy(scene.memory)
            try:
                transaction = rewrite(transaction, scene)
            finally:
                if scene.memory != before:
                    board.note(node, family, switch.fault, scene.memory)
    return transaction, scenes


def _rewrite(switch: Switch) -> Rewrite | None:
    if switch.fault == MUTANT:
        return mutation.mutate
    if switch.fault == AFRESH:
        return afresh
    return None if switch.fault == RECORD else REWRITES.get(Fault[switch.fault])


if __name__ == "__main__":
    sys.exit(main())
