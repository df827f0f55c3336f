"""Makes the kernel forget flows that go where no Service sends them any more, after each sync and before the next."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable

from conformance.lab.proxy import conntrack, netlink
from conformance.lab.proxy.metrics import Metrics
from conformance.lab.proxy.place import Place
from conformance.model.addresses import Family, Protocol

_log = logging.getLogger(__name__)


class FlowReconciler:
    """One family's flows. ``unfinished`` says that `follow` wants to be called again within about a second."""

    def __init__(self, family: Family, metrics: Metrics) -> None:
        self.unfinished = True
        self._family = family
        self._metrics = metrics
        self._followed: conntrack.Frontends = {}
        self._retired: frozenset[conntrack.Frontend] = frozenset()
        self._changed: frozenset[Protocol] = frozenset()
        self._running: asyncio.Task[None] | None = None

    def follow(self, now: conntrack.Frontends, here: Place) -> None:
        """The kernel's rules are those of ``now``: forget what contradicts them, at once and once more.

        A packet that met the old rules may enter the kernel's table after we looked at it. Only flows of protocols
        whose frontends have changed are looked at: to go through the kernel's table is what takes long.
        """
        before = self._followed
        changed = frozenset(f[0] for f in now.keys() | before.keys() if now.get(f) != before.get(f))
        protocols = changed | self._changed
        retired = (self._retired | before.keys()) - now.keys()
        self._followed, self._changed, self.unfinished = now, changed, bool(changed)
        self._retired = retired if changed else frozenset()
        if protocols:
            self._running = asyncio.create_task(self._forget(protocols, now, retired, here))

    async def finish(self) -> None:
        """Wait until what `follow` began is done: kube-proxy clears at the end of a sync, so before the next begins."""
        if self._running is not None:
            running, self._running = self._running, None
            await running

    async def _forget(
        self,
        protocols: Iterable[Protocol],
        now: conntrack.Frontends,
        retired: Iterable[conntrack.Frontend],
        here: Place,
    ) -> None:
        began = time.monotonic()
        try:
            deleted = await asyncio.to_thread(_forget_stale, self._family, protocols, now, retired, here)
        except OSError as error:
            _log.warning("%s: conntrack: %s", self._family.value, error)
            return
        self._metrics.conntrack_deleted.labels(self._family.value).inc(deleted)
        self._metrics.conntrack_duration.labels(self._family.value).observe(time.monotonic() - began)


def _forget_stale(
    family: Family,
    protocols: Iterable[Protocol],
    now: conntrack.Frontends,
    retired: Iterable[conntrack.Frontend],
    here: Place,
) -> int:
    tracked = [flow for protocol in protocols for flow in netlink.flows(family, protocol)]
    gone = conntrack.stale(tracked, now, retired, node_ips=here.listening_ips, service_cidrs=here.service_cidrs)
    return netlink.forget(family, gone)
