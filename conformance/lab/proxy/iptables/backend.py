"""iptables mode: the shared chains in every write, those of a Service when it changed, all after a failure."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Collection, Iterable, Mapping

from conformance.lab.proxy.iptables import tool
from conformance.lab.proxy.iptables.frame import frame
from conformance.lab.proxy.iptables.host import find_out
from conformance.lab.proxy.iptables.lines import LARGE, written
from conformance.lab.proxy.iptables.part import part
from conformance.lab.proxy.iptables.pieces import restore_in_pieces
from conformance.lab.proxy.iptables.restore import restore
from conformance.lab.proxy.iptables.saved import Found, saved
from conformance.lab.proxy.iptables.tables import Host, Part, Tables
from conformance.lab.proxy.metrics import Metrics
from conformance.lab.proxy.place import Place
from conformance.lab.proxy.programs import ProgramError
from conformance.model.addresses import Family
from conformance.model.kube import EndpointSlice, Service

_log = logging.getLogger(__name__)


class IptablesBackend:
    """A `Backend` that programs iptables' tables filter and nat; what failed is tried again after ``retry`` seconds."""

    def __init__(self, family: Family, retry: float, metrics: Metrics, host: Host | None = None) -> None:
        self._family = family
        self._retry = retry
        self._metrics = metrics
        self._host = find_out() if host is None else host
        self._last_cleanup = 0.0
        self._applied: Tables | None = None
        self.written = False

    def part(self, service: Service, slices: Iterable[EndpointSlice], here: Place) -> Part:
        """See `Backend`."""
        return part(service, slices, here, self._host)

    async def tidy(self) -> bool:
        """See `Backend`: old chains go with each write."""
        return True

    def due(self) -> float | None:
        """See `Backend`."""
        return None

    async def write(self, parts: Mapping[str, Part], changed: Collection[str] | None, here: Place) -> bool:
        """See `Backend`."""
        tables = Tables(frame(here, self._host), parts)
        try:
            found = await self._found(tables, whole=changed is None)
            await tool.restore(self._family, await asyncio.to_thread(self._input, tables, changed, found))
        except ProgramError as error:
            _log.error("%s: sync failed, next try in %g s: %s", self._family.value, self._retry, error)
            self._metrics.restore_failures.labels(self._family.value).inc()
            if changed is not None:
                self._metrics.partial_restore_failures.labels(self._family.value).inc()
            self.written = False
            return False
        self._count(tables, changed)
        self._applied = tables
        self.written = True
        return True

    def _input(self, tables: Tables, changed: Collection[str] | None, found: Found) -> str:
        if self._host.short:
            return restore_in_pieces(self._applied, tables, changed, found)
        return restore(tables, changed, found)

    async def _found(self, tables: Tables, *, whole: bool) -> Found:
        """What is there already, as far as this write has to know it; `ProgramError` if it must and cannot."""
        now = time.monotonic()
        if not whole and tables.endpoint_count > LARGE and now - self._last_cleanup < self._retry:
            return {}
        try:
            text = await tool.save(self._family, *(() if whole else ("-t", "nat")))
        except ProgramError as error:
            if whole:
                raise
            _log.error("%s: stale chains are not deleted: %s", self._family.value, error)
            return {}
        self._last_cleanup = now
        return saved(text)

    def _count(self, tables: Tables, changed: Collection[str] | None) -> None:
        word, parts = self._family.value, tables.parts.values()
        shared = {
            "filter": sum(len(p.filter) for p in parts) + sum(map(len, tables.frame.filter.values())),
            "nat": sum(len(p.nat) for p in parts) + sum(map(len, tables.frame.nat.values())),
        }
        for name, count in shared.items():
            total, last = (parts, written(tables, changed)) if name == "nat" else ((), ())
            self._metrics.iptables_total.labels(name, word).set(count + sum(p.rule_count for p in total))
            self._metrics.iptables_last.labels(name, word).set(count + sum(p.rule_count for p in last))
