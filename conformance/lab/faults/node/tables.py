"""An nft table of a fault's own, beside kube-proxy's."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator

from conformance.errors import LabError
from conformance.lab.faults.board import POD_FOLDER
from conformance.lab.faults.scene import Scene

REAL_NFT = 'PATH=${PATH#*:} exec nft "$@"\n'
"""Of nft's stand-in: the real one, which lies behind the folder of those on the path."""


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


@contextlib.contextmanager
def stand_in(scene: Scene, program: str, script: str) -> Iterator[None]:
    """Have kube-proxy's pod on this node find ``script`` when ``program`` is started there.

    What it does not answer itself it passes on with `REAL_NFT`.
    """
    file = POD_FOLDER / "tools" / scene.node / program
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_suffix(".draft")
    draft.write_text(f"#!/bin/sh\n{script}")
    draft.chmod(0o755)
    draft.replace(file)
    try:
        yield
    finally:
        file.unlink()


def chain(name: str, kind: str, hook: str, priority: int, *rules: str) -> str:
    """A base chain."""
    inside = "\n".join((f"type {kind} hook {hook} priority {priority};", *rules))
    return f"chain {name} {{\n{inside}\n}}"


def _name(scene: Scene) -> str:
    return f"inet nftconform-{scene.switch.fault.lower().replace('_', '-')}"
