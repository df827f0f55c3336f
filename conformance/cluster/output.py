"""What a command in a pod prints, as it comes."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import websocket
from kubernetes.stream.ws_client import WSClient

from conformance.cluster.api import Cluster
from conformance.cluster.exec import ERROR, STALLED, STDERR, STDOUT
from conformance.cluster.failures import refused, unreachable
from conformance.cluster.paths import kind
from conformance.cluster.pods import PodRef
from conformance.errors import ClusterError

SILENT = 120.0
"""Seconds without a word after which a command is given up: nft prints nothing until it has read the whole table."""


class CommandFailed(ClusterError):
    """A command in a pod ended with an error, or its stream was lost; what it printed before is not all."""


def output(cluster: Cluster, pod: PodRef, *command: str, container: str = "") -> Iterator[str]:
    """The standard output of ``command`` in ``pod``, in pieces; `CommandFailed` unless it ends with success.

    ``container`` is needed where the pod has several. `ClusterError` when the command cannot be started at all.
    """
    name = f"pod {pod.namespace}/{pod.name}"
    socket, said, status = _opened(cluster, pod, command, container), "", ""
    deadline = time.monotonic() + SILENT
    try:
        while not status:
            open_ = socket.is_open()
            if open_:
                socket.update(timeout=1)
            piece = str(socket.read_channel(STDOUT))
            said = (said + str(socket.read_channel(STDERR)))[-2000:]
            status += str(socket.read_channel(ERROR))
            if piece:
                deadline = time.monotonic() + SILENT
                yield piece
            elif not status and not open_:
                raise _failed(name, command, "the connection was closed")
            elif time.monotonic() > deadline:
                raise _failed(name, command, f"nothing came for {SILENT:.0f} s")
        # Asking for one channel reads the others too: the last piece may have come in front of the status.
        yield str(socket.read_channel(STDOUT))
    except (websocket.WebSocketException, OSError) as failure:
        raise _failed(name, command, str(failure).splitlines()[0][:200] if str(failure) else "cut") from None
    finally:
        socket.close(timeout=1)
    words = _fault(status)
    if words:
        lines = "; ".join(filter(None, map(str.strip, said.splitlines())))
        raise _failed(name, command, f"{words}{f': {lines[:300]}' if lines else ''}")


def _opened(cluster: Cluster, pod: PodRef, command: tuple[str, ...], container: str) -> Any:  # noqa: ANN401  the client is untyped
    asked = [*(("command", word) for word in command), ("stdout", "true"), ("stderr", "true")]
    asked += [("container", container)] if container else []
    url = f"{cluster.server}{kind('Pod').path(pod.namespace, pod.name, 'exec')}?{urlencode(asked)}"
    try:
        dial: Any = WSClient
        socket = dial(cluster.configuration, url.replace("http", "ws", 1), cluster.authorization(), capture_all=False)
    except websocket.WebSocketBadStatusException as failure:
        body = getattr(failure, "resp_body", b"") or b""
        asked_for = f"create pods/exec for pod {pod.namespace}/{pod.name}"
        raise refused(failure.status_code, body, asked_for) from None
    except (websocket.WebSocketException, OSError) as failure:
        raise unreachable(failure, cluster.server) from None
    socket.sock.settimeout(STALLED)
    return socket


def _fault(status: str) -> str:
    """Why a command failed, by the metav1.Status that ends it; empty when it did not."""
    try:
        found = json.loads(status)
    except ValueError:
        return status[:200]
    if not isinstance(found, dict):
        return status[:200]
    return "" if found.get("status") == "Success" else str(found.get("message") or "it failed")[:300]


def _failed(name: str, command: tuple[str, ...], why: str) -> CommandFailed:
    return CommandFailed(
        f"{name}: '{' '.join(command)}' failed: {why}.", "Check that the pod and its node are up and have the command."
    )
