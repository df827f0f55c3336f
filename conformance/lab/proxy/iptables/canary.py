"""A chain that nobody needs: when it is gone, somebody has flushed the tables, and the rules with it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from conformance.lab.proxy import programs
from conformance.lab.proxy.iptables import names, tool
from conformance.lab.proxy.iptables.restore import canaries
from conformance.model.addresses import Family

_log = logging.getLogger(__name__)
# How iptables ends when it found no chain; the flavours do not say it in the same words.
_NOT_FOUND = 1


async def watch(family: Family, period: float, lost: Callable[[], None]) -> None:
    """Put the chain into every table, look every ``period`` seconds, and call ``lost`` when it is gone.

    Until cancelled. kube-proxy looks in the table mangle, where it has nothing else.
    """
    put = False
    while True:
        try:
            if not put:
                await tool.restore(family, canaries())
                put = True
            elif not await _alive(family):
                _log.warning("%s: somebody has flushed the rules", family.value)
                put = False
                lost()
                continue
        except programs.ProgramError as error:
            _log.error("%s: the tables cannot be watched: %s", family.value, error)
        await asyncio.sleep(period)  # nothing tells


async def _alive(family: Family) -> bool:
    try:
        await programs.run(tool.program(family), "-w", "5", "-t", "mangle", "-S", names.CANARY)
    except programs.ProgramError as error:
        if error.code == _NOT_FOUND:
            return False
        raise
    return True
