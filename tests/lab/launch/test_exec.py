"""Commands in a lab behave as if they ran here: input, output, exit codes, signals, and their end with ours."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.lab.launch.directory import Directory
from conformance.lab.launch.start import Lab, environment, launch
from tests.lab.launch.support import Until

_BOTH = ["user-namespace", "root"] if os.geteuid() == 0 else ["user-namespace"]


@pytest.fixture(scope="module", params=_BOTH)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    folder = tmp_path_factory.mktemp("exec") / "lab"
    started = launch(Directory(folder), nodes=2, bare=True, user_namespace=request.param == "user-namespace")
    yield started
    started.stop()


def arguments(lab: Lab, name: str, *command: str) -> list[str]:
    cli = [sys.executable, "-P", "-m", "conformance.cli", "lab", "exec"]
    return [*cli, "--dir", str(lab.directory), name, "--", *command]


def run(lab: Lab, name: str, *command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        arguments(lab, name, *command),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(),
        check=False,
    )


def start(lab: Lab, *command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        arguments(lab, "x1", *command),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )


@pytest.mark.parametrize(
    ("name", "address"),
    [("node-a", "172.30.99.11"), ("node-b", "172.31.98.2"), ("x1", "fd99::101"), ("x2", "172.30.99.102")],
)
def test_it_runs_where_the_name_says(lab: Lab, name: str, address: str) -> None:
    assert f" {address}/" in run(lab, name, "ip", "-oneline", "address").stdout


def test_input_reaches_the_command_and_so_does_its_end(lab: Lab) -> None:
    done = run(lab, "x1", "cat", stdin="one\ntwo\n")
    assert (done.returncode, done.stdout) == (0, "one\ntwo\n")


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("exit 7", 7), ("kill -TERM $$", 143), ("kill -9 $$", 137)]
)
def test_the_exit_code_is_the_commands(lab: Lab, script: str, code: int) -> None:
    assert run(lab, "node-a", "sh", "-c", script).returncode == code


def test_a_command_that_is_not_there(lab: Lab) -> None:
    done = run(lab, "x1", "/no/such/program")
    assert done.returncode == 127
    assert (
        done.stderr == "nftconform: /no/such/program is not there. Install it on this machine: the lab has no other.\n"
    )


def test_options_belong_to_the_command(lab: Lab) -> None:
    assert run(lab, "x1", "printf", "%s|", "--help", "--", "-x").stdout == "--help|--|-x|"


def test_it_starts_in_the_callers_folder(lab: Lab, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(lab, "x1", "pwd").stdout.strip() == str(tmp_path)


def test_a_signal_to_us_is_a_signal_to_the_command(lab: Lab) -> None:
    with start(lab, "sh", "-c", 'trap "echo caught; exit 3" TERM; echo ready; read line; read line') as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 3
        assert process.stdout.readline() == "caught\n"


def test_the_command_dies_with_us_even_when_we_are_killed(lab: Lab, until: Until) -> None:
    # exec: the process that prints is the one that must die
    with start(lab, "sh", "-c", "echo ready; exec sleep 300") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        assert len(children) == 1
        process.kill()
        process.wait(20)
        until(lambda: not Path(f"/proc/{children[0]}").exists())


def test_commands_in_the_lab_end_with_it(tmp_path: Path) -> None:
    short = launch(Directory(tmp_path / "lab"), nodes=1, bare=True)
    with start(short, "sh", "-c", "echo ready; exec sleep 300") as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        short.stop()
        assert process.wait(20) == 137


def test_ignored_signals_are_not_inherited(lab: Lab) -> None:
    status = run(lab, "x1", "grep", "-E", "SigIgn|SigBlk", "/proc/self/status").stdout
    blocked, ignored = (int(word, 16) for word in status.split()[1::2])
    own = 0b11 << 31  # signals 32 and 33: glibc's posix_spawn, which make uses, leaves its own ignored
    assert (blocked, ignored & ~own) == (0, 0), status


def test_nodes_reach_each_other_and_everything_answers_at_once(lab: Lab) -> None:
    server = (
        "import socket; s = socket.create_server(('::', 8000), family=socket.AF_INET6, dualstack_ipv6=True);"
        "print('up', flush=True); s.accept(); s.accept(); s.accept()"
    )
    client = "import socket, sys; [socket.create_connection((a, 8000), 2) for a in sys.argv[1:]]; print('reached')"
    with subprocess.Popen(
        arguments(lab, "node-b", sys.executable, "-c", server), stdout=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        reached = run(lab, "x1", sys.executable, "-c", client, "172.30.99.12", "fd99::12", "172.31.98.2")
        assert reached.stdout == "reached\n", reached.stderr
        assert process.wait(20) == 0


def test_refusals_are_not_rationed(lab: Lab) -> None:
    """A stock kernel answers a few rejected packets a second and then falls silent."""
    client = """
import socket, sys
for address in sys.argv[1:]:
    refused = 0
    for _ in range(100):
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as udp:
            udp.settimeout(2)
            udp.connect((address, 9))
            udp.send(b"x")
            try:
                udp.recv(1)
            except ConnectionRefusedError:
                refused += 1
            except TimeoutError:
                break
    print(refused)
"""
    done = run(lab, "x1", sys.executable, "-c", client, "172.30.99.11", "fd99::12")
    assert done.stdout.split() == ["100", "100"], done.stderr
