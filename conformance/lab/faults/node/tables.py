"""An nft table of a fault's own, beside kube-proxy's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from conformance.errors import LabError

NAME = "nftconform-fault"


@contextlib.asynccontextmanager
async def table(text: str) -> AsyncIterator[None]:
    """Have ``table inet nftconform-fault { text }`` for a while; ``LabError`` when nft does not take it."""
    await nft(f"table inet {NAME} {{\n{text}\n}}\n")
    try:
        yield
    finally:
        await nft(f"delete table inet {NAME}\n")


async def nft(text: str) -> None:
    """Run one transaction; ``LabError``."""
    process = await asyncio.create_subprocess_exec(
        "nft", "-f", "-", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate(text.encode())
    if process.returncode:
        raise LabError(f"A fault's table cannot be made: {said.decode(errors='replace').strip()}.", "Report this.")
