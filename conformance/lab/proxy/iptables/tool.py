"""The iptables programs on the PATH: the only way by which iptables mode touches the kernel's rules."""

from __future__ import annotations

import shutil

from conformance.lab.proxy import programs
from conformance.model.addresses import Family

_WAIT = ("-w", "5")  # seconds, for whoever has iptables' lock


async def restore(family: Family, text: str) -> None:
    """Do what ``text`` says, table by table, each as a whole and only if the one before succeeded; `ProgramError`."""
    if text:
        await programs.run(program(family, "restore"), *_WAIT, "--noflush", "--counters", stdin=text)


async def save(family: Family, *arguments: str) -> str:
    """The rules that are there, as iptables-save shows them; `ProgramError`."""
    return await programs.run(program(family, "save"), *arguments)


def program(family: Family, what: str = "") -> str:
    """The name of ``iptables``, ``iptables-save`` ..., of the flavour that speaks nftables wherever that has a name."""
    word, end = "iptables" if family is Family.IPV4 else "ip6tables", f"-{what}" if what else ""
    flavoured = f"{word}-nft{end}"
    return flavoured if shutil.which(flavoured) else f"{word}{end}"
