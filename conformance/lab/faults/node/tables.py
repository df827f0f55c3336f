"""An nft table of a fault's own, beside kube-proxy's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from conformance.errors import LabError
from conformance.lab.faults.scene import Scene


@contextlib.asynccontextmanager
async def table(scene: Scene, text: str = "") -> AsyncIterator[None]:
    """Have an ``inet`` table with ``text`` for a while; ``LabError`` when nft does not take it."""
    await fill(scene, text)
    try:
        yield
    finally:
        await nft(f"delete table {_name(scene)}\n")


async def fill(scene: Scene, text: str) -> None:
    """Have ``text`` in the fault's table, and nothing else; ``LabError``."""
    name = _name(scene)
    await nft(f"table {name}\ndelete table {name}\ntable {name} {{\n{text}\n}}\n")


async def nft(text: str) -> None:
    """Run one transaction; ``LabError``."""
    process = await asyncio.create_subprocess_exec(
        "nft", "-f", "-", stdin=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate(text.encode())
    if process.returncode:
        raise LabError(f"A fault's table cannot be made: {said.decode(errors='replace').strip()}.", "Report this.")


def chain(name: str, kind: str, hook: str, priority: int, *rules: str) -> str:
    """A base chain."""
    inside = "\n".join((f"type {kind} hook {hook} priority {priority};", *rules))
    return f"chain {name} {{\n{inside}\n}}"


def _name(scene: Scene) -> str:
    return f"inet nftconform-{scene.switch.fault.lower().replace('_', '-')}"
