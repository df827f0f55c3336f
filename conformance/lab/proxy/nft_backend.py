"""nftables mode: one table, changed in small steps, or written as a whole after a failure."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable, Mapping

from conformance.lab.proxy import nft
from conformance.lab.proxy.desired import Conflict, merge
from conformance.lab.proxy.fragment import Fragment, fragment
from conformance.lab.proxy.metrics import Metrics
from conformance.lab.proxy.place import Place
from conformance.lab.proxy.ruleset import Ruleset
from conformance.lab.proxy.transaction import Existing, Transaction, delete_chains, full, partial
from conformance.model.addresses import Family
from conformance.model.kube import EndpointSlice, Service

_log = logging.getLogger(__name__)
_STALE_SECONDS = 1.0


class NftBackend:
    """A `Backend` that programs the table kube-proxy; failed housekeeping is tried again after ``retry`` seconds."""

    def __init__(self, family: Family, retry: float, metrics: Metrics) -> None:
        self._family = family
        self._retry = retry
        self._metrics = metrics
        self._applied: Ruleset | None = None
        self._known = Existing()
        self._hooked = False
        self._stale: dict[str, float] = {}
        self._no_sweep_before = 0.0
        self._conflicts: tuple[Conflict, ...] = ()
        self.written = False

    def part(self, service: Service, slices: Iterable[EndpointSlice], here: Place) -> Fragment:
        """See `Backend`."""
        return fragment(service, slices, here)

    async def write(self, parts: Mapping[str, Fragment], changed: Collection[str] | None, here: Place) -> bool:
        """See `Backend`."""
        ruleset, conflicts = merge(parts, here)
        self._report(conflicts)
        try:
            transaction = await self._transaction(ruleset, whole=changed is None)
            await nft.apply(transaction.text)
        except nft.NftError as error:
            _log.error("%s: sync failed, next try in %g s: %s", self._family.value, self._retry, error)
            self._metrics.sync_failures.labels(self._family.value).inc()
            self.written = False
            self._stale.clear()
            return False
        now = time.monotonic()
        self._applied, self._hooked, self.written = ruleset, True, True
        self._known = Existing(
            frozenset(ruleset.chains) | self._stale.keys() | transaction.stale_chains, frozenset(ruleset.containers)
        )
        self._stale = {c: at for c, at in self._stale.items() if c not in ruleset.chains}
        self._stale |= dict.fromkeys(transaction.stale_chains, now)
        return True

    async def tidy(self) -> bool:
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
            _log.error("%s: %d stale chains stay for now: %s", self._family.value, len(ripe), error)
            self._metrics.cleanup_failures.labels(self._family.value).inc()
            # The full sync that follows finds again those that are still there; then nothing hurries.
            self._no_sweep_before = now + self._retry
            return False
        return True

    def due(self) -> float | None:
        """See `Backend`."""
        return max(_STALE_SECONDS, self._no_sweep_before - time.monotonic()) if self._stale else None

    async def _transaction(self, ruleset: Ruleset, *, whole: bool) -> Transaction:
        if whole or self._applied is None:
            return full(ruleset, await self._existing(ruleset.table), rehook=not self._hooked)
        return partial(self._applied, ruleset, self._stale)

    async def _existing(self, table: str) -> Existing:
        try:
            return await nft.existing(table)
        except nft.NftError as error:
            # Somebody else's table can be more than this nft can read (kubernetes/kubernetes#136786): ours goes on.
            _log.warning("%s: the table cannot be listed, going by memory: %s", self._family.value, error)
            return self._known

    def _report(self, conflicts: tuple[Conflict, ...]) -> None:
        for conflict in set(conflicts) - set(self._conflicts):
            _log.warning("%s belongs to %s, not to %s", conflict.key, conflict.winner, conflict.loser)
        self._conflicts = conflicts
