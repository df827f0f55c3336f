"""One trial: a fresh lab, a fault in it, and a run of the kit as any user would start it."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.errors import KitError, LabError
from conformance.judge.kills import Told
from conformance.lab.client import ApiClient
from conformance.lab.faults.board import Board, Switch
from conformance.lab.faults.switching import PATIENCE, Faults
from conformance.lab.launch.directory import Directory
from conformance.lab.launch.sites import externals
from conformance.lab.launch.start import environment, running_lab
from conformance.results.run import read

_NODES = 3
_SECONDS = 420.0
"""A whole run takes a minute; one under a fault waits for much that does not come."""
EVERYTHING = ("--node-access", "privileged", "--disruptive")
"""Every question that a lab can be asked."""
SHORT = ("--trust", "1", "--patience", "20", "--evidence", "none")
"""Options of a run under a fault, where much is wrong, as it should be: one surprise of an area asked again stands for
the others, and a proxy that does not catch up soon never will."""
_LOOK_SECONDS = 0.5
_POLITE_SECONDS = 30.0
_JUDGED = (0, 1, 2)


@dataclass(frozen=True, slots=True)
class Trial:
    """What was asked and said while a fault was on; ``trouble`` when there was no run to speak of."""

    told: tuple[Told, ...]
    seconds: float
    trouble: str = ""


def attempt(
    switches: Sequence[Switch], cases: Sequence[str], output: Path, stop: threading.Event, *extra: str
) -> Trial:
    """Try ``cases`` (IDs of cases or cells; none: all) under ``switches``; the run's reports and log go to ``output``.

    ``extra`` are further options of ``nftconform run``; ``stop`` ends the run early. A trial that goes wrong says so in
    its ``trouble``.
    """
    began = time.monotonic()
    try:
        with fresh_lab() as directory:
            if switches:
                switch_on(directory, *switches)
            told = ask(directory, cases, output, stop, *extra)
    except KitError as error:
        return Trial((), time.monotonic() - began, error.cause)
    return Trial(told, time.monotonic() - began)


@contextlib.contextmanager
def fresh_lab() -> Iterator[Directory]:
    """A lab for the time of the block. ``KitError``."""
    with running_lab(nodes=_NODES) as lab:
        yield Directory(lab.directory)


def switch_on(directory: Directory, *switches: Switch, patience: float = PATIENCE) -> None:
    """Have these faults in the lab; ``LabError`` when they are not in after ``patience`` seconds."""

    async def work() -> None:
        async with ApiClient.from_kubeconfig(directory.kubeconfig) as client:
            await Faults(client, Board(directory.faults), patience).switch_on(*switches)

    asyncio.run(work())


def ask(
    directory: Directory, cases: Sequence[str], output: Path, stop: threading.Event, *extra: str
) -> tuple[Told, ...]:
    """What a run in the lab says of each cell; ``LabError`` when it was ended or does not say."""
    output.mkdir(parents=True, exist_ok=True)
    report, log = output / "results.jsonl", output / "run.txt"
    report.unlink(missing_ok=True)
    code = _run(directory, cases, output, extra, stop)
    if code not in _JUDGED:
        how = "did not end in time" if code is None else f"ended with {code}"
        raise LabError(f"The run {how}, see {log}.", "Run it by hand.")
    try:
        with report.open(encoding="utf-8") as file:
            found = read(file, str(report))
    except (OSError, KitError) as error:
        raise LabError(f"The report {report} cannot be read: {error}.", f"See {log}.") from error
    return tuple(Told(one.id, one.case, one.status, one.mismatch) for one in found.results)


def _run(
    directory: Directory, cases: Sequence[str], output: Path, extra: Sequence[str], stop: threading.Event
) -> int | None:
    """The exit code; None when it had to be ended."""
    command = [sys.executable, "-P", "-m", "conformance.cli", "run", "--kubeconfig", str(directory.kubeconfig)]
    for site in externals(directory.path, _NODES):
        command += ["--external", site]
    for case in cases:
        command += ["--case", case]
    command += ["--output", str(output), *EVERYTHING, *extra]
    with (output / "run.txt").open("wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment())
    give_up = time.monotonic() + _SECONDS
    while process.poll() is None and not stop.is_set() and time.monotonic() < give_up:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_LOOK_SECONDS)
    if process.poll() is not None:
        return process.returncode
    # Politely first: the run takes its own things away before the lab goes.
    process.terminate()
    try:
        process.wait(_POLITE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    return None
