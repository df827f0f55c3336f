"""One kube-proxy's view of one kind of object, and what changes in it. No input or output."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from conformance.lab.faults.board import Switch
from conformance.lab.faults.view.every import ALTERATIONS, RETENTIONS
from conformance.lab.faults.view.registry import SERVICES, Around, Json, World, concerns, owner
from conformance.spec.faults import Fault

Change = tuple[str, Json]


@dataclass(slots=True)
class Lens:
    """What a kube-proxy is shown of ``kind`` while ``switches`` are on.

    ``selects`` is its own choice (its selectors), made among what it is shown, not among what there is. ``told`` is
    the version that it knows: all that it was shown is as of then, and ``reader`` is whoever told it.
    """

    kind: str
    switches: tuple[Switch, ...]
    selects: Callable[[Json], bool]
    told: int = 0
    reader: object = None
    shown: dict[str, Json] = field(default_factory=dict)
    _memory: dict[tuple[str, str], Json] = field(default_factory=dict)

    def look(self, world: World) -> list[Change]:
        """What a watch has to say since the last look: for every object a well-ordered life of its own."""
        before, self.shown = self.shown, dict(self._visible(world))
        changes: list[Change] = []
        for name, old in before.items():
            if name not in self.shown or _uid(self.shown[name]) != _uid(old):
                changes.append(("DELETED", old))
        for name, new in self.shown.items():
            known = before.get(name)
            if known is None or _uid(known) != _uid(new):
                changes.append(("ADDED", new))
            elif known is not new and _content(known) != _content(new):
                changes.append(("MODIFIED", new))
        return changes

    def _visible(self, world: World) -> Iterator[tuple[str, Json]]:
        there = {key(each): each for each in _every(self.kind, world)}
        for name, last in self.shown.items():
            if name not in there and self._stays(last, world):
                yield name, last
        for name, each in there.items():
            seen = self._through(each, world)
            if seen is not None and self.selects(seen):
                yield name, seen

    def _through(self, one: Json, world: World) -> Json | None:
        last = self.shown.get(key(one))
        if last is not None and _uid(last) != _uid(one):
            last = None
        seen: Json | None = one
        for switch in self.switches:
            alter = ALTERATIONS.get((Fault[switch.fault], self.kind))
            if seen is not None and alter is not None and concerns(switch, self.kind, one):
                memory = self._memory.setdefault((switch.fault, _uid(one)), {})
                seen = alter(seen, Around(world, last, memory))
        return seen

    def _stays(self, last: Json, world: World) -> bool:
        for switch in self.switches:
            retain = RETENTIONS.get((Fault[switch.fault], self.kind))
            if retain is not None and concerns(switch, self.kind, last) and retain(last, Around(world, last)):
                return True
        return False


def world(services: Iterable[Json], slices: Iterable[Json], node: Json) -> World:
    """The world of these objects."""
    owned: dict[str, list[Json]] = {}
    for each in slices:
        owned.setdefault(owner(each), []).append(each)
    return World({key(each): each for each in services}, {name: tuple(some) for name, some in owned.items()}, node)


def key(obj: Json) -> str:
    """``namespace/name``."""
    return f"{obj['metadata'].get('namespace', '')}/{obj['metadata']['name']}"


def _every(kind: str, world: World) -> Iterable[Json]:
    if kind == SERVICES:
        return world.services.values()
    return (each for some in world.slices.values() for each in some)


def _uid(obj: Json) -> str:
    return str(obj["metadata"].get("uid", ""))


def _content(obj: Json) -> tuple[Json, Json]:
    """Everything but the version: what is shown changes without the object, and the other way round."""
    return {k: v for k, v in obj.items() if k != "metadata"}, {
        k: v for k, v in obj["metadata"].items() if k not in ("resourceVersion", "managedFields")
    }
