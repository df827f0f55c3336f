"""What a command in a pod prints, as it comes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import websocket

from conformance.cluster.api import Cluster
from conformance.cluster.exec import ERROR, STDERR, STDOUT, opened
from conformance.cluster.paths import kind
from conformance.cluster.pods import PodRef
from conformance.errors import ClusterError

_NO_PROGRAM = ("executable file not found", "no such file or directory")
"""As runc and crun say it."""
SILENT = 120.0
"""Seconds without a word after which a command is given up: nft prints nothing until it has read the whole table."""


class CommandFailed(ClusterError):
    """A command in a pod ended with an error, or its stream was lost; what it printed before is not all."""


@dataclass(frozen=True, slots=True)
class Completed:
    """A command that has ended; ``errors`` are the last 2,000 characters of its standard error."""

    code: int
    output: str
    errors: str


NOT_FOUND = 127
"""The exit status that shells give to a command that is not there."""


def output(cluster: Cluster, pod: PodRef, *command: str, container: str = "") -> Iterator[str]:
    """The standard output of ``command`` in ``pod``, in pieces; `CommandFailed` unless it ends with success.

    ``container`` is needed where the pod has several. `ClusterError` when the command cannot be started at all.
    """
    run = _Run(cluster, pod, command, container)
    yield from run.pieces()
    if words := _fault(run.status):
        lines = "; ".join(filter(None, map(str.strip, run.errors.splitlines())))
        raise run.failed(f"{words}{f': {lines[:300]}' if lines else ''}")


def completed(cluster: Cluster, pod: PodRef, *command: str, container: str = "") -> Completed:
    """``command`` in ``pod``, however it ends: `NOT_FOUND` where the container has no such program.

    `ClusterError` when it cannot be started for another reason, `CommandFailed` when its end is not known.
    """
    run = _Run(cluster, pod, command, container)
    printed = "".join(run.pieces())
    code = _code(run.status)
    if code is None:
        raise run.failed(_fault(run.status))
    return Completed(code, printed, run.errors if code != NOT_FOUND else run.errors or _fault(run.status))


class _Run:
    """A command under way: ``errors`` is the end of its standard error, ``status`` the metav1.Status that ends it."""

    def __init__(self, cluster: Cluster, pod: PodRef, command: tuple[str, ...], container: str) -> None:
        self._name, self._command = f"pod {pod.namespace}/{pod.name}", command
        self._socket = _opened(cluster, pod, command, container)
        self.errors = self.status = ""

    def pieces(self) -> Iterator[str]:
        """What it prints, until it has ended or `CommandFailed`."""
        socket, deadline = self._socket, time.monotonic() + SILENT
        try:
            while not self.status:
                open_ = socket.is_open()
                if open_:
                    socket.update(timeout=1)
                piece = str(socket.read_channel(STDOUT))
                self.errors = (self.errors + str(socket.read_channel(STDERR)))[-2000:]
                self.status += str(socket.read_channel(ERROR))
                if piece:
                    deadline = time.monotonic() + SILENT
                    yield piece
                elif not self.status and not open_:
                    raise self.failed("the connection was closed")
                elif time.monotonic() > deadline:
                    raise self.failed(f"nothing came for {SILENT:.0f} s")
            # Asking for one channel reads the others too: the last piece may have come in front of the status.
            yield str(socket.read_channel(STDOUT))
        except (websocket.WebSocketException, OSError) as failure:
            raise self.failed(str(failure).splitlines()[0][:200] if str(failure) else "cut") from None
        finally:
            socket.close(timeout=1)

    def failed(self, why: str) -> CommandFailed:
        """The error that says why it did not do its work."""
        return CommandFailed(
            f"{self._name}: '{' '.join(self._command)[:200]}' failed: {why}.",
            "Check that the pod and its node are up and have the command.",
        )


def _opened(cluster: Cluster, pod: PodRef, command: tuple[str, ...], container: str) -> Any:  # noqa: ANN401  the client is untyped
    asked = [*(("command", word) for word in command), ("stdout", "true"), ("stderr", "true")]
    asked += [("container", container)] if container else []
    url = f"{cluster.server}{kind('Pod').path(pod.namespace, pod.name, 'exec')}?{urlencode(asked)}"
    return opened(cluster, url, f"create pods/exec for pod {pod.namespace}/{pod.name}")


def _code(status: str) -> int | None:
    """The exit status in the metav1.Status that ends a command; None where it has none."""
    try:
        found = json.loads(status)
        if found["status"] == "Success":
            return 0
        causes = found.get("details", {}).get("causes", [])
        codes = [str(cause["message"]) for cause in causes if cause.get("reason") == "ExitCode"]
        message = str(found.get("message", ""))
    except (ValueError, LookupError, TypeError, AttributeError):
        return None
    if codes:
        return int(codes[0]) if codes[0].isdecimal() else None
    return NOT_FOUND if any(words in message.lower() for words in _NO_PROGRAM) else None


def _fault(status: str) -> str:
    """Why a command failed, by the metav1.Status that ends it; empty when it did not."""
    try:
        found = json.loads(status)
    except ValueError:
        return status[:200]
    if not isinstance(found, dict):
        return status[:200]
    return "" if found.get("status") == "Success" else str(found.get("message") or "it failed")[:300]
