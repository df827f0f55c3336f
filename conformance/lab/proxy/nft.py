"""The `nft` on the PATH: the only way by which the proxy touches the kernel's rules."""

from __future__ import annotations

import asyncio
import json
import os

from conformance.lab.proxy.transaction import Existing


class NftError(Exception):
    """`nft` did not do what it was told; the message is what it said."""


_TOO_LONG = "Message too long"


async def apply(text: str) -> None:
    """Run one transaction; all of it or, with `NftError`, nothing.

    What is too long for an ordinary user's netlink socket (SO_SNDBUFFORCE takes root; 200 KB go without it) is done
    in parts, each of which relies only on what comes before it: of such a one a part may be done.
    """
    try:
        await _apply(text)
    except NftError as error:
        lines = text.splitlines(keepends=True)
        if _TOO_LONG not in str(error) or len(lines) < 2:
            raise
        middle = len(lines) // 2
        await apply("".join(lines[:middle]))
        await apply("".join(lines[middle:]))


async def _apply(text: str) -> None:
    if not text:
        return
    running = asyncio.ensure_future(_nft("-f", "-", stdin=text))
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        # Half a transaction on its standard input would be a transaction of its own: let it have the rest.
        await running
        raise


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
        process = await asyncio.create_subprocess_exec(
            "nft",
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"LC_ALL": "C"},
        )
    except OSError as error:
        raise NftError(f"nft cannot be run: {error.strerror}") from error
    out, err = await process.communicate(stdin.encode())
    if process.returncode:
        raise NftError(err.decode(errors="replace").strip() or f"nft ended with {process.returncode}")
    return out.decode()
