"""However a lab ends, nothing of it stays: no file, process, mount or network namespace."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.errors import LabError
from conformance.lab.launch.directory import Directory
from conformance.lab.launch.start import environment, launch, running_lab
from tests.lab.launch.support import Command, Foreground, Traces, Until


def test_down_leaves_nothing(tmp_path: Path, nftconform: Command, until: Until) -> None:
    folder = tmp_path / ".lab"
    up = nftconform("lab", "up", "--bare")
    assert up.returncode == 0, up.stderr
    assert up.stdout.startswith("lab ready in ")
    assert ": 3 nodes" in up.stdout
    seen = Traces.of(Directory(folder))
    assert seen.left(), "the check must see a lab that runs"
    down = nftconform("lab", "down")
    assert down.returncode == 0, down.stderr
    assert not folder.exists()
    until(lambda: not seen.left())


@pytest.mark.parametrize("user_namespace", [True, False], ids=["user-namespace", "root"])
def test_the_end_of_a_program_that_holds_a_lab(tmp_path: Path, until: Until, user_namespace: bool) -> None:
    if not user_namespace and os.geteuid() != 0:
        pytest.skip("only root makes a lab without a user namespace")
    directory = Directory(tmp_path / "lab")
    lab = launch(directory, nodes=1, bare=True, user_namespace=user_namespace)
    seen = Traces.of(directory)
    lab.stop()
    assert not directory.path.exists()
    until(lambda: not seen.left())


def test_an_interrupt_ends_the_block(tmp_path: Path, until: Until) -> None:
    with pytest.raises(KeyboardInterrupt), running_lab(tmp_path / "lab", nodes=1, bare=True) as lab:
        seen = Traces.of(Directory(lab.directory))
        raise KeyboardInterrupt
    until(lambda: not seen.left())


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_the_launcher_is_killed(lab: Foreground, until: Until, number: signal.Signals) -> None:
    seen = Traces.of(lab.directory)
    code = lab.end(number)
    assert code == (0 if number is signal.SIGINT else -number)
    until(lambda: not seen.left())


@pytest.mark.parametrize("victim", ["watchdog", "supervisor"])
def test_a_part_of_the_lab_is_killed(lab: Foreground, until: Until, victim: str) -> None:
    seen = Traces.of(lab.directory)
    os.kill(getattr(seen.record, victim), signal.SIGKILL)
    until(lambda: not seen.left())
    assert lab.process.wait(20) == 0


def test_both_are_killed_at_once_and_the_next_lab_tidies_up(
    lab: Foreground, foreground: Callable[..., Foreground], until: Until, nftconform: Command
) -> None:
    seen = Traces.of(lab.directory)
    os.kill(seen.record.supervisor, signal.SIGSTOP)
    os.kill(seen.record.watchdog, signal.SIGKILL)
    os.kill(seen.record.supervisor, signal.SIGKILL)
    assert lab.process.wait(20) == 0
    until(lambda: all(trace.startswith("file") for trace in seen.left()))
    again = foreground()
    again.ready()
    assert again.end() == 0
    assert not seen.folder.exists()


def test_the_launcher_is_killed_while_the_lab_starts(foreground: Callable[..., Foreground], until: Until) -> None:
    started = foreground()
    until(started.directory.record.exists)
    watchdog = started.directory.running()
    assert started.end(signal.SIGKILL) == -signal.SIGKILL
    until(lambda: not started.directory.path.exists())
    assert watchdog is not None
    until(lambda: not Path(f"/proc/{watchdog.watchdog}").exists())


def test_an_interrupt_while_the_lab_starts(foreground: Callable[..., Foreground], until: Until) -> None:
    started = foreground()
    until(started.directory.record.exists)
    code = started.end(signal.SIGINT)
    assert code in (0, 130)  # 0: it was ready before the signal came
    assert not started.directory.path.exists()


def test_a_program_is_killed_that_holds_a_lab_in_a_folder_of_its_own(until: Until) -> None:
    script = (
        "from conformance.lab.launch.start import running_lab\n"
        "with running_lab(nodes=1, bare=True) as lab: print(lab.directory, flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        directory = Directory(Path(process.stdout.readline().strip()))
        seen = Traces.of(directory)
        process.kill()
    until(lambda: not seen.left())


def test_two_labs_do_not_meet(tmp_path: Path, foreground: Callable[..., Foreground]) -> None:
    first, second = foreground(tmp_path / "one"), foreground(tmp_path / "two")
    one, two = first.ready(), second.ready()
    assert one.record.port != two.record.port
    assert not one.namespaces & two.namespaces
    assert first.end() == 0
    assert second.directory.running() == two.record
    assert second.end() == 0


def test_a_second_lab_in_the_same_folder_is_refused(lab: Foreground) -> None:
    before = Traces.of(lab.directory)
    with pytest.raises(LabError, match="already running"):
        launch(lab.directory, nodes=1, bare=True)
    assert lab.directory.running() == before.record


def test_a_folder_with_a_long_name(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["a-rather-long-name-of-a-folder"] * 6)
    assert len(str(folder)) > 150
    lab = launch(Directory(folder), nodes=1, bare=True)
    lab.stop()
    assert not folder.exists()
