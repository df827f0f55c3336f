"""Keeps the kernel's rules of one family what they should be: in small steps, or as a whole after a failure."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Generic

from conformance.lab.proxy import conntrack, netlink
from conformance.lab.proxy.backend import Backend, P
from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.health import ProxyHealth
from conformance.lab.proxy.metrics import Metrics
from conformance.lab.proxy.place import Place, place
from conformance.lab.proxy.reconciler import FlowReconciler
from conformance.lab.proxy.view import Changes, View
from conformance.model.addresses import Family

_log = logging.getLogger(__name__)

FULL_SYNC_PERIOD = 3600.0
_AGAIN_SECONDS = 1.0


class Syncer(Generic[P]):
    """One family's rules in the mode of ``backend``; ``synced`` is told the place of every successful sync."""

    def __init__(
        self,
        family: Family,
        configuration: Configuration,
        backend: Backend[P],
        view: View,
        metrics: Metrics,
        health: ProxyHealth,
        synced: Callable[[Place], Awaitable[None]],
    ) -> None:
        self.family = family
        self._configuration = configuration
        self._backend = backend
        self._view = view
        self._metrics = metrics
        self._health = health
        self._synced = synced
        self._parts: dict[str, P] = {}
        self._frontends: dict[str, dict[conntrack.Frontend, frozenset[conntrack.Address]]] = {}
        self._addresses: tuple[str, ...] = ()
        self._place: Place | None = None
        self._last_full = 0.0
        self._flows = FlowReconciler(family, metrics)

    async def sync(self) -> float:
        """One sync; the seconds after which the next is due, also when nothing changes."""
        await self._flows.finish()
        began = time.monotonic()
        tidied = await self._backend.tidy()
        whole = not self._backend.written or not tidied or began - self._last_full > FULL_SYNC_PERIOD
        changes = self._view.take(self.family)
        self._count_pending()
        if whole or self._here() != self._place:
            whole = True
            self._addresses = await asyncio.to_thread(netlink.interface_addresses)
        here = self._here()
        self._update(changes, here, everything=here != self._place)
        self._place = here
        done = await self._backend.write(self._parts, None if whole else changes.services, here)
        self._observe(time.monotonic() - began, whole)
        if not done:
            self._view.changes[self.family].triggers += changes.triggers
            return self._configuration.sync_period
        if whole:
            self._last_full = began
            seconds = time.monotonic() - began
            _log.info("%s: full sync of %d Services in %.2f s", self.family.value, len(self._parts), seconds)
        await self._finish(changes, here)
        if self._flows.unfinished:
            return _AGAIN_SECONDS
        due = self._backend.due()
        return FULL_SYNC_PERIOD if due is None else due

    def _here(self) -> Place:
        if self._view.node is None:
            raise RuntimeError("a sync before the node is known")
        return place(self.family, self._view.node, self._configuration, self._view.service_cidrs, self._addresses)

    def _update(self, changes: Changes, here: Place, *, everything: bool) -> None:
        """Bring the parts up to date, in the order of precedence of their Services."""
        parts: dict[str, P] = {}
        entrances = {}
        for service in self._view.services:
            key = service.key
            if everything or key in changes.services or key not in self._parts:
                slices = tuple(self._view.slices(key))
                parts[key] = self._backend.part(service, slices, here)
                entrances[key] = conntrack.frontends(service, slices, self.family)
            else:
                parts[key], entrances[key] = self._parts[key], self._frontends[key]
        self._parts, self._frontends = parts, entrances

    async def _finish(self, changes: Changes, here: Place) -> None:
        word, metrics = self.family.value, self._metrics
        self._health.updated(self.family)
        now = time.time()
        metrics.last_sync.labels(word).set(now)
        for triggered in changes.triggers:
            metrics.network_programming.labels(word).observe(now - triggered)
        parts = self._parts.values()
        metrics.no_local_endpoints.labels(word, "internal").set(sum(p.ports_without_internal for p in parts))
        metrics.no_local_endpoints.labels(word, "external").set(sum(p.ports_without_external for p in parts))
        await self._synced(here)
        flows = {frontend: serving for each in self._frontends.values() for frontend, serving in each.items()}
        self._flows.follow(flows, here)

    def _count_pending(self) -> None:
        pending = sum(len(c.services) for c in self._view.changes.values())
        self._metrics.service_changes_pending.set(pending)
        self._metrics.endpoint_changes_pending.set(pending)

    def _observe(self, seconds: float, whole: bool) -> None:
        word, metrics = self.family.value, self._metrics
        metrics.sync_duration.labels(word).observe(seconds)
        (metrics.full_sync_duration if whole else metrics.partial_sync_duration).labels(word).observe(seconds)
