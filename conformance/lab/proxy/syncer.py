"""Keeps the kernel's table of one family what it should be: in small steps, or as a whole after a failure."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from conformance.lab.proxy import conntrack, netlink, nft
from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.desired import Conflict, merge
from conformance.lab.proxy.fragment import Fragment, fragment
from conformance.lab.proxy.health import ProxyHealth
from conformance.lab.proxy.metrics import Metrics
from conformance.lab.proxy.place import Place, place
from conformance.lab.proxy.reconciler import FlowReconciler
from conformance.lab.proxy.ruleset import Ruleset
from conformance.lab.proxy.transaction import Existing, Transaction, delete_chains, full, partial
from conformance.lab.proxy.view import Changes, View
from conformance.model.addresses import Family

_log = logging.getLogger(__name__)

FULL_SYNC_PERIOD = 3600.0
_STALE_SECONDS = 1.0


class Syncer:
    """One family's rules. ``synced`` is called after every successful sync with the place they are for."""

    def __init__(
        self,
        family: Family,
        configuration: Configuration,
        view: View,
        metrics: Metrics,
        health: ProxyHealth,
        synced: Callable[[Place], Awaitable[None]],
    ) -> None:
        self.family = family
        self._configuration = configuration
        self._view = view
        self._metrics = metrics
        self._health = health
        self._synced = synced
        self._fragments: dict[str, Fragment] = {}
        self._frontends: dict[str, dict[conntrack.Frontend, frozenset[conntrack.Address]]] = {}
        self._addresses: tuple[str, ...] = ()
        self._place: Place | None = None
        self._applied: Ruleset | None = None  # None: a full sync is due
        self._known = Existing()
        self._hooked = False
        self._last_full = 0.0
        self._stale: dict[str, float] = {}
        self._no_sweep_before = 0.0
        self._conflicts: tuple[Conflict, ...] = ()
        self._flows = FlowReconciler(family, metrics)

    async def sync(self) -> float:
        """One sync; the seconds after which the next is due, also when nothing changes."""
        await self._flows.finish()
        began = time.monotonic()
        swept = await self._sweep()
        whole = self._applied is None or not swept or began - self._last_full > FULL_SYNC_PERIOD
        changes = self._view.take(self.family)
        self._count_pending()
        if whole or self._here() != self._place:
            whole = True
            self._addresses = await asyncio.to_thread(netlink.interface_addresses)
        here = self._here()
        self._update(changes, here, everything=here != self._place)
        self._place = here
        ruleset, conflicts = merge(self._fragments, here)
        self._report(conflicts)
        done = await self._program(ruleset, whole)
        self._observe(time.monotonic() - began, whole)
        if not done:
            self._view.changes[self.family].triggers += changes.triggers
            return self._configuration.sync_period
        if whole:
            self._last_full = began
            seconds = time.monotonic() - began
            _log.info("%s: full sync of %d Services in %.2f s", self.family.value, len(self._fragments), seconds)
        await self._finish(changes, here)
        if self._flows.unfinished:
            return _STALE_SECONDS
        return max(_STALE_SECONDS, self._no_sweep_before - began) if self._stale else FULL_SYNC_PERIOD

    def _here(self) -> Place:
        if self._view.node is None:
            raise RuntimeError("a sync before the node is known")
        return place(self.family, self._view.node, self._configuration, self._view.service_cidrs, self._addresses)

    def _update(self, changes: Changes, here: Place, *, everything: bool) -> None:
        """Bring the fragments up to date, in the order of precedence of their Services."""
        parts: dict[str, Fragment] = {}
        entrances = {}
        for service in self._view.services:
            key = service.key
            if everything or key in changes.services or key not in self._fragments:
                slices = tuple(self._view.slices(key))
                parts[key] = fragment(service, slices, here)
                entrances[key] = conntrack.frontends(service, slices, self.family)
            else:
                parts[key], entrances[key] = self._fragments[key], self._frontends[key]
        self._fragments, self._frontends = parts, entrances

    async def _program(self, ruleset: Ruleset, whole: bool) -> bool:
        try:
            transaction = await self._transaction(ruleset, whole)
            await nft.apply(transaction.text)
        except nft.NftError as error:
            _log.error(
                "%s: sync failed, next try in %g s: %s", self.family.value, self._configuration.sync_period, error
            )
            self._metrics.sync_failures.labels(self.family.value).inc()
            self._applied = None
            self._stale.clear()
            return False
        now = time.monotonic()
        self._applied, self._hooked = ruleset, True
        self._known = Existing(
            frozenset(ruleset.chains) | self._stale.keys() | transaction.stale_chains, frozenset(ruleset.containers)
        )
        self._stale = {c: at for c, at in self._stale.items() if c not in ruleset.chains}
        self._stale |= dict.fromkeys(transaction.stale_chains, now)
        return True

    async def _transaction(self, ruleset: Ruleset, whole: bool) -> Transaction:
        if whole or self._applied is None:
            return full(ruleset, await self._existing(ruleset.table), rehook=not self._hooked)
        return partial(self._applied, ruleset, self._stale)

    async def _existing(self, table: str) -> Existing:
        try:
            return await nft.existing(table)
        except nft.NftError as error:
            # Somebody else's table can be more than this nft can read (kubernetes/kubernetes#136786): ours goes on.
            _log.warning("%s: the table cannot be listed, going by memory: %s", self.family.value, error)
            return self._known

    async def _sweep(self) -> bool:
        """Delete chains that have been empty for a second; False when the kernel would not."""
        now = time.monotonic()
        ripe = [chain for chain, at in self._stale.items() if now - at >= _STALE_SECONDS]
        if not ripe or self._applied is None or now < self._no_sweep_before:
            return True
        for chain in ripe:
            del self._stale[chain]
        try:
            await nft.apply(delete_chains(self._applied.table, ripe))
        except nft.NftError as error:
            _log.error("%s: %d stale chains stay for now: %s", self.family.value, len(ripe), error)
            self._metrics.cleanup_failures.labels(self.family.value).inc()
            # The full sync that follows finds again those that are still there; then nothing hurries.
            self._no_sweep_before = now + self._configuration.sync_period
            return False
        return True

    async def _finish(self, changes: Changes, here: Place) -> None:
        word, metrics = self.family.value, self._metrics
        self._health.updated(self.family)
        now = time.time()
        metrics.last_sync.labels(word).set(now)
        for triggered in changes.triggers:
            metrics.network_programming.labels(word).observe(now - triggered)
        parts = self._fragments.values()
        metrics.no_local_endpoints.labels(word, "internal").set(sum(p.ports_without_internal for p in parts))
        metrics.no_local_endpoints.labels(word, "external").set(sum(p.ports_without_external for p in parts))
        await self._synced(here)
        flows = {frontend: serving for each in self._frontends.values() for frontend, serving in each.items()}
        self._flows.follow(flows, here)

    def _report(self, conflicts: tuple[Conflict, ...]) -> None:
        for conflict in set(conflicts) - set(self._conflicts):
            _log.warning("%s belongs to %s, not to %s", conflict.key, conflict.winner, conflict.loser)
        self._conflicts = conflicts

    def _count_pending(self) -> None:
        pending = sum(len(c.services) for c in self._view.changes.values())
        self._metrics.service_changes_pending.set(pending)
        self._metrics.endpoint_changes_pending.set(pending)

    def _observe(self, seconds: float, whole: bool) -> None:
        word, metrics = self.family.value, self._metrics
        metrics.sync_duration.labels(word).observe(seconds)
        (metrics.full_sync_duration if whole else metrics.partial_sync_duration).labels(word).observe(seconds)
