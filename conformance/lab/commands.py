"""What the lab's long-running commands have in common: their log, their end, and how they say what is wrong."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from conformance import collector
from conformance.errors import KitError


def parser(module: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for ``python -m module`` with the options that all have."""
    made = argparse.ArgumentParser(prog=f"python -m {module}", description=description)
    made.add_argument("--kubeconfig", type=Path, help="default: the pod's service account")
    made.add_argument("--log-level", default="INFO")
    return made


def run(work: Callable[[], Coroutine[Any, Any, None]], log_level: str) -> int:
    """Run ``work`` until it ends, or SIGTERM or Ctrl-C cancels it; the exit code."""
    collector.spare()
    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s %(message)s")

    async def body() -> None:
        task = asyncio.ensure_future(work())
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await task

    code = 0
    try:
        asyncio.run(body())
    except* KitError as errors:  # a task group wraps what its tasks raise
        first = _first(errors)
        sys.stderr.write(f"{first}\n")
        code = first.exit_code
    return code


def _first(errors: BaseExceptionGroup[KitError]) -> KitError:
    first = errors.exceptions[0]
    return first if isinstance(first, KitError) else _first(first)
