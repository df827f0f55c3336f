"""Keeps a node's table what policies, pods and namespaces make of it; without policies it looks at no pods."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
from collections.abc import Callable

from conformance.lab.client import ApiClient, Informer
from conformance.lab.faults.policy import Flaws
from conformance.lab.policy.compiling import compile_policies
from conformance.lab.policy.rendering import transaction
from conformance.lab.policy.view import World, world

_log = logging.getLogger(__name__)
_POLICIES = "/apis/networking.k8s.io/v1/networkpolicies"
_PODS, _NAMESPACES = "/api/v1/pods", "/api/v1/namespaces"
_LOOK_SECONDS = 0.2
"""How soon a fault that is switched has an effect; nobody looks while there are no policies."""


class Engine:
    """``apply`` runs one nft transaction on ``node``; ``OSError`` when it is not taken.

    ``last``: in the order of their names no node comes after it. ``policies`` are those that it has seen so far.
    """

    def __init__(
        self, client: ApiClient, node: str, flaws: Flaws, apply: Callable[[str], None], *, last: bool = False
    ) -> None:
        self._client = client
        self._node = node
        self._flaws = flaws
        self._apply = apply
        self._last = last
        self._written = ""
        self._changed = asyncio.Event()
        self.policies = Informer(client, _POLICIES, on_event=lambda *_: self._changed.set())

    async def run(self) -> None:
        """Until cancelled; the rules stay."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.policies.run())
            await self.policies.synced.wait()
            # What a predecessor left goes even where there is no policy any more; else it is in force till then.
            while not self.policies.items and not await self._write(World((), (), {})):
                self._changed.clear()
                await self._change(None, again=True)
            while True:
                await self.policies.until(bool)
                await self._enforce()

    async def _enforce(self) -> None:
        """Until no policy is left."""
        pods, namespaces = (
            Informer(self._client, path, on_event=lambda *_: self._changed.set()) for path in (_PODS, _NAMESPACES)
        )
        tasks = [asyncio.create_task(informer.run()) for informer in (pods, namespaces)]
        try:
            await asyncio.gather(pods.synced.wait(), namespaces.synced.wait())
            while True:
                self._changed.clear()
                known = self._flaws.look()
                now = world(self.policies.items.values(), pods.items.values(), namespaces.items.values())
                done = await self._write(now)
                if done and not now.policies:
                    return
                await self._change(known, again=not done)
        finally:
            for task in tasks:
                task.cancel()

    async def _change(self, known: object, *, again: bool) -> None:
        """Wait until something else is to be written, or with ``again`` for a moment."""
        while not self._changed.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._changed.wait()
            if again or self._flaws.look() != known:
                return

    async def _write(self, now: World) -> bool:
        """Bring the table up to date; whether the node has taken it."""
        rules = transaction(compile_policies(self._flaws.seen(now), self._node))
        text = self._flaws.written(self._node, self._last, rules)
        if text == self._written:
            return True
        try:
            await asyncio.to_thread(self._apply, text)
        except OSError as error:
            _log.error("%s", error)
            return False
        self._written = text
        return True


def nft(text: str) -> None:
    """Run one transaction; all of it or, with ``OSError``, nothing."""
    done = subprocess.run(["nft", "-f", "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip() or f"nft ended with {done.returncode}")
