"""Running the programs by which the proxy touches the kernel's rules."""

from __future__ import annotations

import asyncio
import os


class ProgramError(Exception):
    """A program did not do what it was told; the message is what it said, ``code`` how it ended, if it ran."""

    code: int | None = None


async def run(program: str, *arguments: str, stdin: str = "") -> str:
    """What ``program`` prints; `ProgramError`.

    Whoever is cancelled meanwhile waits for its end: half an input would be a transaction of its own.
    """
    running = asyncio.ensure_future(_run(program, *arguments, stdin=stdin))
    try:
        return await asyncio.shield(running)
    except asyncio.CancelledError:
        await running
        raise


async def _run(program: str, *arguments: str, stdin: str) -> str:
    try:
        process = await asyncio.create_subprocess_exec(
            program,
            *arguments,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=os.environ | {"LC_ALL": "C"},
        )
    except OSError as error:
        raise ProgramError(f"{program} cannot be run: {error.strerror}") from error
    out, err = await process.communicate(stdin.encode())
    if process.returncode:
        failed = ProgramError(err.decode(errors="replace").strip() or f"{program} ended with {process.returncode}")
        failed.code = process.returncode
        raise failed
    return out.decode()
