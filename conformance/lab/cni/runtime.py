"""The runtime's side of CNI: a network's plugins in their order, each with what the one before it said.

Source: SPEC.md of containernetworking/cni, section 3, and ``libcni/api.go``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.lab.cni.cache import Cache, Cached
from conformance.lab.cni.conf import Json, Network, told
from conformance.lab.cni.execution import Attachment, PluginError, Plugins
from conformance.lab.cni.result import Failure, ResultError, added

_log = logging.getLogger(__name__)


class Runtime:
    """Adds containers to one network and takes them out again. Different containers may go on side by side."""

    def __init__(self, network: Network, plugins: Plugins, cache: Cache) -> None:
        self._network = network
        self._plugins = plugins
        self._cache = cache

    async def add(self, attachment: Attachment, runtime: Mapping[str, Any]) -> Json:
        """ADD; the last plugin's result. When one fails, what the others did is undone, and `PluginError` says why.

        So it is when the result cannot be remembered (``OSError``): nobody could delete it with what it said.
        """
        network, result = self._network, None
        begun = Cached(network, attachment, dict(runtime), None)
        self._cache.write(begun)
        try:
            for plugin in network.plugins:
                config = told(network, plugin, runtime, result)
                output = await self._plugins.run(plugin["type"], "ADD", config, attachment)
                try:
                    result = added(output)
                except ResultError as error:
                    raise PluginError(plugin["type"], "ADD", Failure(0, f"it {error}")) from error
            assert result is not None, "a network has a plugin"
            self._cache.write(replace(begun, result=result))
        except (PluginError, OSError, asyncio.CancelledError):
            await self._undo(attachment)
            raise
        return result

    async def check(self, attachment: Attachment) -> None:
        """CHECK, where the version knows it and the configuration does not forbid it; `PluginError`."""
        cached = self._cache.read(attachment)
        if cached is None or cached.result is None or not cached.network.checks or cached.network.disable_check:
            return
        for plugin in cached.network.plugins:
            config = told(cached.network, plugin, cached.runtime, cached.result)
            await self._plugins.run(plugin["type"], "CHECK", config, attachment)

    async def delete(self, attachment: Attachment) -> None:
        """DEL with what ADD was told and said, last plugin first; `PluginError`, and then it can be asked again."""
        cached = self._cache.read(attachment) or Cached(self._network, attachment, {}, None)
        network = cached.network
        previous = cached.result if network.checks else None
        here = attachment if Path(attachment.namespace).exists() else replace(attachment, namespace="")
        for plugin in reversed(network.plugins):
            config = told(network, plugin, cached.runtime, previous)
            await self._plugins.run(plugin["type"], "DEL", config, here)
        self._cache.forget(attachment)

    async def collect(self, valid: Collection[Attachment]) -> None:
        """Undo every attachment that is remembered and not ``valid``; then GC, where the version knows it.

        The first `PluginError` is raised after everything was tried.
        """
        failures = []
        stale = [one.attachment for one in self._cache.every() if one.attachment not in valid]
        for done in await asyncio.gather(*(self.delete(one) for one in stale), return_exceptions=True):
            if isinstance(done, BaseException):
                failures.append(done)
        network = self._network
        if network.collects and not network.disable_gc:
            kept = [{"containerID": one.container, "ifname": one.interface} for one in valid]
            for plugin in network.plugins:
                config = {**told(network, plugin, {}, None), "cni.dev/valid-attachments": kept}
                try:
                    await self._plugins.run(plugin["type"], "GC", config)
                except PluginError as error:
                    failures.append(error)
        if failures:
            raise failures[0]

    async def status(self) -> None:
        """STATUS, where the version knows it: whether ADD can be served; `PluginError`."""
        if self._network.collects:
            for plugin in self._network.plugins:
                await self._plugins.run(plugin["type"], "STATUS", told(self._network, plugin, {}, None))

    async def _undo(self, attachment: Attachment) -> None:
        try:
            await self.delete(attachment)
        except (PluginError, OSError) as error:
            _log.warning("a failed ADD could not be undone: %s", error)
