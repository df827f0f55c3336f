"""The `nft` on the PATH: the only way by which the proxy touches the kernel's rules."""

from __future__ import annotations

import asyncio
import json

from conformance.lab.proxy import programs
from conformance.lab.proxy.transaction import Existing


class NftError(programs.ProgramError):
    """`nft` did not do what it was told; the message is what it said."""


_TOO_LONG = "Message too long"


async def apply(text: str) -> None:
    """Run one transaction; all of it or, with `NftError`, nothing.

    What is too long for an ordinary user's netlink socket (SO_SNDBUFFORCE takes root; 200 KB go without it) is done
    in parts, each of which relies only on what comes before it: of such a one a part may be done.
    """
    try:
        if text:
            await _nft("-f", "-", stdin=text)
    except NftError as error:
        lines = text.splitlines(keepends=True)
        if _TOO_LONG not in str(error) or len(lines) < 2:
            raise
        middle = len(lines) // 2
        await apply("".join(lines[:middle]))
        await apply("".join(lines[middle:]))


async def existing(table: str) -> Existing:
    """The chains and sets of ``table`` (``ip kube-proxy``), nothing when there is no such table; `NftError`."""
    family, name = table.split()
    # Not `nft list table`: it also prints the elements, and it fails where there is no table.
    chains, sets = await asyncio.gather(_names("chain", family, name), _names("set", family, name))
    return Existing(chains, sets)


async def _names(kind: str, family: str, table: str) -> frozenset[str]:
    answer = json.loads(await _nft("-j", "-t", "list", f"{kind}s", family))
    found = (item.get(kind) or {} for item in answer["nftables"])
    return frozenset(o["name"] for o in found if o.get("table") == table and o.get("family") == family)


async def _nft(*arguments: str, stdin: str = "") -> str:
    try:
        return await programs.run("nft", *arguments, stdin=stdin)
    except programs.ProgramError as error:
        raise NftError(str(error)) from error
