"""kube-proxy's lists and watches while a fault of its view is on: what it is shown instead of what there is.

A fault of this kind needs this server: with a real kube-apiserver in the lab there is nothing to put it in. A real
kube-proxy that asks this server suffers it as the reference proxy does.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from conformance.lab.api.authn import User
from conformance.lab.api.call import Call
from conformance.lab.api.objects import selection
from conformance.lab.api.rendering import Rendering
from conformance.lab.api.resources import resource
from conformance.lab.api.store import Collection, Event, Expired, Store, Stored, Watcher
from conformance.lab.faults.board import Board, Switch
from conformance.lab.faults.scene import USER_AGENT
from conformance.lab.faults.view.every import ALTERATIONS
from conformance.lab.faults.view.lens import Lens, world
from conformance.lab.faults.view.registry import SERVICES, SLICES, World

Json = dict[str, Any]

_KUBE_PROXY = "system:serviceaccount:kube-system:kube-proxy"
_FAULTY = frozenset(fault.name for fault, _ in ALTERATIONS)


class Lenses:
    """The lens of each kube-proxy and kind of object; ``folder`` is the switchboard, None where the lab has none."""

    def __init__(self, store: Store, folder: Path | None) -> None:
        self._store = store
        self._board = Board(folder) if folder else None
        self._pods, self._nodes, self._services, self._slices = (
            store.collection(resource(group, plural))
            for group, plural in (("", "pods"), ("", "nodes"), ("", SERVICES), ("discovery.k8s.io", SLICES))
        )
        self._lenses: dict[tuple[str, str], Lens] = {}

    def of(self, call: Call) -> View | None:
        """What a list or watch sees of the world; None when that is the truth, as it is for everybody else."""
        kind, agent = call.target.resource.plural, call.request.headers.get("User-Agent", "")
        # Faults themselves ask as kube-proxy, too: they have to know what there is.
        if self._board is None or kind not in (SERVICES, SLICES) or call.user.name != _KUBE_PROXY:
            return None
        if call.target.resource.group != ("" if kind == SERVICES else "discovery.k8s.io") or agent == USER_AGENT:
            return None
        pod, node = self._caller(call.user)
        switches = tuple(s for s in self._board.read(node) if s.fault in _FAULTY) if node else ()
        if not switches:
            return None
        return View(self, self._lens(pod, call, switches), node, call.rendering)

    def _caller(self, user: User) -> tuple[str, str]:
        """The uid and the node of the pod that asks, empty for no pod.

        The pod's own token says which pod it is, and the pod where it runs: a name or an address that the caller could
        give is not looked at, for a node has several, and a kube-proxy may ask by another path tomorrow.
        """
        uid = next(iter(user.extra.get("authentication.kubernetes.io/pod-uid", ())), "")
        name = next(iter(user.extra.get("authentication.kubernetes.io/pod-name", ())), "")
        pod = self._pods.get("kube-system", name)
        return (uid, str(pod.obj["spec"].get("nodeName", ""))) if pod is not None else ("", "")

    def _lens(self, pod: str, call: Call, switches: tuple[Switch, ...]) -> Lens:
        """The pod's lens: it lasts from one watch to the next, so that what it remembers does."""
        there = {each.obj["metadata"]["uid"] for each in self._pods.select("kube-system")}
        self._lenses = {key: lens for key, lens in self._lenses.items() if key[0] in there}
        kind = call.target.resource.plural
        lens = self._lenses.get((pod, kind))
        if lens is None or lens.switches != switches:
            lens = self._lenses[pod, kind] = Lens(kind, switches, selection(call) or (lambda _: True))
        return lens

    def world(self, node: str) -> World:
        """What there is, for the kube-proxy of ``node``."""
        own = self._nodes.get("", node)
        return world(
            (each.obj for each in self._services.select(None)),
            (each.obj for each in self._slices.select(None)),
            own.obj if own else {"metadata": {"name": node}},
        )

    @property
    def revision(self) -> int:
        """The version of all that there is."""
        return self._store.revision

    @property
    def sources(self) -> tuple[Collection, ...]:
        """What may change what is shown: a slice looks otherwise when its Service changes, or the node its zone."""
        return (self._services, self._slices, self._nodes)


class View:
    """The world through one lens, for one list or watch.

    All that is told has the version of the telling: what is shown of an object may change while the object does not.
    """

    def __init__(self, lenses: Lenses, lens: Lens, node: str, rendering: Rendering) -> None:
        self._lenses = lenses
        self._lens = lens
        self._node = node
        self._rendering = rendering

    def page(self) -> bytes:
        """The whole list, however long a page was asked for."""
        return self._rendering.many(self._all(), {"resourceVersion": str(self._lens.told)})

    def join(self, watcher: Watcher) -> None:
        """Have ``watcher`` told of every change that may matter."""
        for collection in self._lenses.sources:
            collection.watchers.add(watcher)

    def leave(self, watcher: Watcher) -> None:
        """Have it told no more."""
        for collection in self._lenses.sources:
            collection.watchers.discard(watcher)

    def present(self) -> bytes:
        """Every object, as a watch says it."""
        return b"".join([self._rendering.line("ADDED", each) for each in self._all()])

    def since(self, revision: int) -> bytes:
        """What has changed since ``revision``: known only where that is what was told last, else ``Expired``."""
        if revision != self._lens.told:
            raise Expired(self._lens.told)
        self._lens.reader = self
        return self.lines(())

    def lines(self, _events: Iterable[Event]) -> bytes:
        """What has changed since it was told the last time; nothing to a watch that another has taken over from."""
        if self._lens.reader is not self:
            return b""
        changes = self._lens.look(self._lenses.world(self._node))
        if not changes:
            return b""
        self._lens.told = self._lenses.revision
        return b"".join([self._rendering.line(change, self._dated(each)) for change, each in changes])

    def bookmark(self, *, initial: bool = False) -> bytes:
        """How far it is; everything up to then has been told."""
        told = self.lines(())
        if self._lens.reader is not self:
            return b""
        self._lens.told = self._lenses.revision
        return told + self._rendering.bookmark(self._lens.told, initial=initial)

    def _all(self) -> list[Stored]:
        self._lens.reader = self
        self._lens.look(self._lenses.world(self._node))
        self._lens.told = self._lenses.revision
        return [self._dated(each) for _, each in sorted(self._lens.shown.items())]

    def _dated(self, obj: Json) -> Stored:
        version = self._lens.told
        metadata = {**obj["metadata"], "resourceVersion": str(version)}
        return Stored(self._rendering.resource, {**obj, "metadata": metadata}, version)
