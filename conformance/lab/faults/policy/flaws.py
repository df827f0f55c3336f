"""What is wrong with the engine right now, by the lab's switchboard."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conformance.lab.faults.board import Board, Switch
from conformance.lab.faults.policy import seeing, writing
from conformance.lab.faults.policy.registry import SEEING, WRITING
from conformance.lab.policy.rendering import transaction
from conformance.lab.policy.view import Json, World
from conformance.spec.faults import DAMAGE, Fault, Site

__all__ = ["Flaws", "seeing", "writing"]


class Flaws:
    """Every fault of the engine that is on; without a folder none ever is."""

    def __init__(self, folder: Path | None) -> None:
        self._board = None if folder is None else Board(folder)
        self._version: tuple[int, int] | None = None
        self._on: dict[Fault, Switch] = {}
        self._first: dict[str, Json] = {}

    def look(self) -> tuple[int, int] | None:
        """Read what is on; another value whenever somebody has switched."""
        if self._board and self._board.version() != self._version:
            self._version = self._board.version()
            named = {s.fault: s for s in self._board.read()}
            engine = (fault for fault, damage in DAMAGE.items() if damage.site is Site.POLICY)
            self._on = {fault: named[fault.name] for fault in engine if fault.name in named}
        return self._version

    def seen(self, world: World) -> World:
        """What the engine takes the cluster for."""
        self.look()
        for fault in self._on:
            if fault in SEEING:
                world = SEEING[fault](world)
        return self._frozen(world) if Fault.NETWORK_POLICY_CHANGE_IGNORED in self._on else world

    def written(self, node: str, last: bool, text: str) -> str:
        """What the engine writes on ``node``; ``last``: in the order of their names no node comes after it."""
        for fault, switch in self._on.items():
            if fault is Fault.NETWORK_POLICY_NOT_ON_EVERY_NODE and (switch.node == node if switch.node else last):
                return transaction(())
            if fault in WRITING and switch.node in ("", node):
                text = WRITING[fault](text)
        return text

    def _frozen(self, world: World) -> World:
        """Each policy stays what it was when it was first seen."""
        uids = [policy["metadata"]["uid"] for policy in world.policies]
        specs: list[Json] = [policy["spec"] for policy in world.policies]
        self._first = {uid: self._first.get(uid, spec) for uid, spec in zip(uids, specs, strict=True)}
        kept = ({**p, "spec": self._first[uid]} for uid, p in zip(uids, world.policies, strict=True))
        return replace(world, policies=tuple(kept))
