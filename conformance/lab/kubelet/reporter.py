"""Tells the API what became of a pod: a status patch whenever something changed, and the final delete."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from conformance.lab import timestamps
from conformance.lab.client import ApiClient, ApiError, backoff
from conformance.lab.kubelet import status
from conformance.lab.kubelet.record import PodRecord, Running, Terminated

Json = dict[str, Any]
_log = logging.getLogger(__name__)

_SETTLE_SECONDS = 0.03
_GONE = (404, 409, 410)  # no such pod, or another one of that name


class Reporter:
    """Reports one pod; ``pod`` and ``record`` give its present state."""

    def __init__(self, client: ApiClient, pod: Callable[[], Json], record: Callable[[], PodRecord]) -> None:
        self._client = client
        self._pod = pod
        self._record = record
        self._dirty = asyncio.Event()
        self._sent: Json = {}
        self._lock = asyncio.Lock()
        self._muted = False

    def changed(self) -> None:
        """Something that the status shows may have changed."""
        self._dirty.set()

    def mute(self) -> None:
        """Say nothing more."""
        self._muted = True

    async def run(self) -> None:
        """Report changes as they come, until cancelled."""
        while True:
            await self._dirty.wait()
            if self._starting():
                # Network, volumes and start follow each other within moments: one report says it all.
                await asyncio.sleep(_SETTLE_SECONDS)
            self._dirty.clear()
            await self.flush()

    def _starting(self) -> bool:
        return bool(self._sent) and not any(
            isinstance(one.state, Running | Terminated) for one in self._record().containers
        )

    async def flush(self) -> None:
        """Report the present state if it differs from the one reported last; waits for an API server that is down."""
        attempt = 0
        while not self._muted:
            try:
                async with self._lock:
                    await self._send()
            except ApiError as error:
                if error.status in _GONE:
                    return
                attempt += 1
                _log.log(
                    logging.WARNING if attempt == 3 else logging.DEBUG,
                    "status of %s: %s",
                    self._pod()["metadata"],
                    error,
                )
                await asyncio.sleep(backoff(attempt))
            else:
                return

    async def delete(self) -> None:
        """Remove the pod's object now that nothing of the pod is left."""
        meta, attempt = self._pod()["metadata"], 0
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "gracePeriodSeconds": 0,
            "preconditions": {"uid": meta["uid"]},
        }
        while True:
            try:
                await self._client.delete(_path(meta), body=options)
            except ApiError as error:
                if error.status in _GONE:
                    return
                attempt += 1
                await asyncio.sleep(backoff(attempt))
            else:
                return

    async def _send(self) -> None:
        pod = self._pod()
        conditions = status.merged_conditions(pod, self._sent)
        known = {**pod, "status": {**(pod.get("status") or {}), "conditions": conditions}}
        fresh = status.pod_status(known, self._record(), timestamps.now())
        if fresh == self._sent:
            return
        patch = {**fresh, "conditions": status.conditions_patch(fresh["conditions"], conditions)}
        meta = pod["metadata"]
        await self._client.patch(
            f"{_path(meta)}/status", {"metadata": {"uid": meta["uid"]}, "status": patch}, type="strategic"
        )
        self._sent = fresh


def _path(meta: Json) -> str:
    return f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}"
