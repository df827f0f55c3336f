"""Flows are forgotten after each sync, before the next, and once more when something changed."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable

import pytest

from conformance.lab.proxy import reconciler
from conformance.lab.proxy.conntrack import Address, Frontend, Frontends
from conformance.lab.proxy.metrics import Metrics
from conformance.lab.proxy.place import Place
from conformance.lab.proxy.reconciler import FlowReconciler
from conformance.model.addresses import Family, Protocol

HERE = Place(Family.IPV4, "node-1")
WEB = (Protocol.UDP, "10.96.0.1", 53)
ONE: dict[Frontend, frozenset[Address]] = {WEB: frozenset({("10.244.1.11", 53)})}


def test_a_sync_begins_when_the_flows_of_the_last_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    release, done = threading.Event(), []

    def forget(_: Family, __: object, now: Frontends, retired: Iterable[object], ___: Place) -> int:
        release.wait(10)
        done.append((now, frozenset(retired)))
        return 0

    monkeypatch.setattr(reconciler, "_forget_stale", forget)

    async def syncs() -> None:
        flows = FlowReconciler(Family.IPV4, Metrics())
        await flows.finish()  # nothing has begun yet
        flows.follow(ONE, HERE)
        next_sync = asyncio.create_task(flows.finish())
        await asyncio.sleep(0)
        assert not next_sync.done()
        release.set()
        await next_sync
        assert done == [(ONE, frozenset())]
        assert flows.unfinished  # a packet that met the old rules may have come late
        for _ in range(3):
            flows.follow(ONE, HERE)
            await flows.finish()
        assert done == [(ONE, frozenset())] * 2
        assert not flows.unfinished
        flows.follow({}, HERE)
        await flows.finish()
        assert done[2:] == [({}, frozenset({WEB}))]

    asyncio.run(syncs())


def test_only_flows_of_protocols_that_changed_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[set[Protocol]] = []

    def forget(_: Family, protocols: Iterable[Protocol], *__: object) -> int:
        looked.append(set(protocols))
        return 0

    monkeypatch.setattr(reconciler, "_forget_stale", forget)
    sctp = (Protocol.SCTP, "10.96.0.1", 53)

    async def syncs() -> None:
        flows = FlowReconciler(Family.IPV4, Metrics())
        begun: Frontends = ONE | {sctp: ONE[WEB]}
        ended: Frontends = ONE | {sctp: frozenset()}
        for now in (ONE, ONE, begun, ended, {sctp: frozenset()}, {}, {}, {}):
            flows.follow(now, HERE)
            await flows.finish()

    asyncio.run(syncs())
    udp, both = {Protocol.UDP}, {Protocol.UDP, Protocol.SCTP}
    assert looked == [udp, udp, {Protocol.SCTP}, {Protocol.SCTP}, both, both, {Protocol.SCTP}]
