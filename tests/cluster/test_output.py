"""What a command in a pod prints, over a real WebSocket: all of it, or an error that says why not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from conformance.cluster.failures import ApiRefused
from conformance.cluster.output import CommandFailed, output
from conformance.cluster.pods import PodRef

if TYPE_CHECKING:
    from tests.cluster.conftest import Peer


def run(peer: Peer, pod: str, program: str) -> str:
    return "".join(output(peer.cluster(), PodRef("ns", pod), sys.executable, "-u", "-c", program))


@pytest.mark.parametrize("length", [0, 1, 100_000, 3_000_000])
def test_everything_is_printed_before_the_end(peer: Peer, length: int) -> None:
    assert len(run(peer, "fine", f"print('x' * {length}, end='')")) == length


def test_the_last_words_come_with_the_end(peer: Peer) -> None:
    """A short answer and the status that ends it often arrive together."""
    assert {run(peer, "fine", "print('word')") for _ in range(20)} == {"word\n"}


def test_a_failure_says_what_the_command_said(peer: Peer) -> None:
    said = "Error: No such file or directory"
    with pytest.raises(CommandFailed, match=f"exit status 1: {said}; list table"):
        run(peer, "fine", f"import sys; sys.exit({said!r} + '\\nlist table')")


@pytest.mark.parametrize("pod", ["cut", "aborted"])
def test_half_an_answer_is_none(peer: Peer, pod: str) -> None:
    with pytest.raises(CommandFailed):
        run(peer, pod, "import time; print('half', flush=True); time.sleep(60)")


@pytest.mark.parametrize(("pod", "status"), [("forbidden", 403), ("missing", 404)])
def test_who_may_not_exec_is_told_so(peer: Peer, pod: str, status: int) -> None:
    with pytest.raises(ApiRefused) as refusal:
        run(peer, pod, "")
    assert refusal.value.status == status
    assert refusal.value.denied is (status == 403)
