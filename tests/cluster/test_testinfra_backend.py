"""Testinfra in a pod: its modules get what its commands print, and the end that they had."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.cluster.output import NOT_FOUND, CommandFailed, completed
from conformance.cluster.pods import PodRef
from conformance.cluster.testinfra_backend import in_pod

if TYPE_CHECKING:
    from pathlib import Path

    from tests.cluster.conftest import Peer

FINE = PodRef("ns", "fine")


@pytest.mark.parametrize("code", [0, 1, 3, 127, 139])
def test_a_command_ends_with_its_own_status_and_words(peer: Peer, code: int) -> None:
    program = f"import sys; print('out'); print('err', file=sys.stderr); sys.exit({code})"
    done = in_pod(peer.cluster(), FINE).run("python3 -c %s", program)
    assert (done.rc, done.stdout, done.stderr) == (code, "out\n", "err\n")


def test_words_reach_the_program_as_they_are_and_no_shell_reads_them(peer: Peer) -> None:
    words = "$HOME; `id` 'x' \"y\" * \N{SNOWMAN}"
    done = in_pod(peer.cluster(), FINE).run("printf %%s %s", words)
    assert done.stdout == words


def test_modules_of_testinfra_work(peer: Peer, tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_text("1\n")
    host = in_pod(peer.cluster(), FINE)
    assert (host.file(str(file)).exists, host.file(str(file)).content_string) == (True, "1\n")
    assert host.file(str(tmp_path / "none")).exists is False
    assert host.file(str(tmp_path)).is_directory is True


@pytest.mark.parametrize("pod", ["cut", "aborted"])
def test_a_command_whose_end_is_not_known_has_none(peer: Peer, pod: str) -> None:
    with pytest.raises(CommandFailed):
        completed(peer.cluster(), PodRef("ns", pod), "sh", "-c", "echo half; exec sleep 60")


def test_a_program_that_is_not_there_ends_as_in_a_shell(peer: Peer) -> None:
    """containerd and CRI-O answer with an internal error, which has no exit status."""
    done = completed(peer.cluster(), PodRef("ns", "bare"), "ipset", "list")
    assert done.code == NOT_FOUND
    assert "executable file not found" in done.errors


def test_another_internal_error_is_no_end(peer: Peer) -> None:
    with pytest.raises(CommandFailed, match="container is gone"):
        completed(peer.cluster(), PodRef("ns", "gone"), "true")
