"""What a kube-proxy left behind: removed when it is told to clean up, or by one that starts in the other mode."""

from __future__ import annotations

import logging
import shutil
from typing import assert_never

from conformance.errors import EnvironmentFault
from conformance.lab.proxy import nft
from conformance.lab.proxy.iptables import tool
from conformance.lab.proxy.iptables.restore import removal
from conformance.lab.proxy.iptables.saved import saved
from conformance.lab.proxy.programs import ProgramError
from conformance.lab.proxy.ruleset import ip_word
from conformance.lab.proxy.transaction import delete_table
from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode

_log = logging.getLogger(__name__)


async def clean_up() -> None:
    """Remove every rule that the proxy, or a real kube-proxy of either mode, left; ``EnvironmentFault``."""
    for family in Family:
        try:
            await _remove_table(family)
            await _remove_chains(family)
        except ProgramError as error:
            raise EnvironmentFault(
                f"The rules cannot be removed: {error}.", "Run it as root, with nft and iptables."
            ) from error


async def clean_up_other_mode(mode: ProxyMode) -> None:
    """Before ``mode`` begins: remove what the other one left, as far as that goes."""
    for family in Family:
        try:
            match mode:
                case ProxyMode.NFTABLES:
                    await _remove_chains(family)
                case ProxyMode.IPTABLES | ProxyMode.IPVS:
                    await _remove_table(family)
                case other:
                    assert_never(other)
        except ProgramError as error:
            _log.warning("%s: leftovers of the other mode: %s", family.value, error)


async def _remove_table(family: Family) -> None:
    await nft.apply(delete_table(f"{ip_word(family)} kube-proxy"))


async def _remove_chains(family: Family) -> None:
    if shutil.which(tool.program(family, "save")) is None:
        return  # nobody here can have made any
    await tool.restore(family, removal(saved(await tool.save(family))))
