"""A program in a pod, over the API server's exec WebSocket."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import urlencode

import websocket
from kubernetes.stream.ws_client import WSClient

from conformance.cluster.api import Cluster
from conformance.cluster.effort import STOPWATCH
from conformance.cluster.failures import refused, unreachable
from conformance.cluster.paths import kind
from conformance.cluster.stream import LineBuffer, StreamLost

STDIN, STDOUT, STDERR, ERROR = range(4)
STALLED = 30.0

websocket.setdefaulttimeout(10.0)  # or connecting to a server that is silent would never end


def opened(cluster: Cluster, url: str, asked: str, *, renewable: bool = True) -> Any:  # noqa: ANN401  the client is untyped
    """The exec WebSocket at ``url``; `ClusterError` when there is none, with ``asked`` for what was wanted."""
    # Not kubernetes.stream.stream(): that needs CoreV1Api, which takes seconds to import, replaces a method of
    # its ApiClient while it connects, and keeps a copy of everything it ever read.
    dial: Any = WSClient
    proof = cluster.authorization()
    STOPWATCH.count("streams")
    try:
        socket = dial(cluster.configuration, url.replace("http", "ws", 1), dict(proof), capture_all=False)
    except websocket.WebSocketBadStatusException as failure:
        if failure.status_code == 401 and renewable and cluster.renew(proof):
            return opened(cluster, url, asked, renewable=False)
        raise refused(failure.status_code, getattr(failure, "resp_body", b"") or b"", asked) from None
    except (websocket.WebSocketException, OSError) as failure:
        raise unreachable(failure, cluster.server) from None
    socket.sock.settimeout(STALLED)
    return socket


class ExecStream:
    """A `LineStream` over one exec (v4 or v5.channel.k8s.io); `ClusterError` when it cannot be opened."""

    def __init__(self, cluster: Cluster, namespace: str, pod: str, command: list[str], container: str = "") -> None:
        self.name = f"pod {namespace}/{pod}"
        self._buffer = LineBuffer()
        self._words = ""  # the end of its stderr
        self._status = ""  # the metav1.Status that ends a command
        asked = [("command", word) for word in command] + [(name, "true") for name in ("stdin", "stdout", "stderr")]
        asked += [("container", container)] if container else []
        url = f"{cluster.server}{kind('Pod').path(namespace, pod, 'exec')}?{urlencode(asked)}"
        self._socket = opened(cluster, url, f"create pods/exec for {self.name}")

    def send(self, line: str) -> None:
        """See `LineStream`."""
        try:
            if self._status or not self._socket.is_open():
                raise self._lost("")
            self._socket.write_stdin(line.encode() + b"\n")  # bytes: a binary frame, as kubectl sends
        except (websocket.WebSocketException, OSError) as failure:
            raise self._lost(_words(failure)) from None

    def receive(self, timeout: float) -> str | None:
        """See `LineStream`."""
        deadline, left = time.monotonic() + timeout, timeout
        while True:
            line = self._buffer.next()
            if line is not None:
                return line
            if left < 0:
                return None
            if self._status or not self._socket.is_open():
                raise self._lost("")
            try:
                self._socket.update(timeout=left)
                self._take()
            except (websocket.WebSocketException, OSError) as failure:
                raise self._lost(_words(failure)) from None
            except (TypeError, AttributeError):
                # Closed by another thread while update() polled (Ctrl-C): the client's socket is None by then.
                if self._socket.is_open():
                    raise
                raise self._lost("it was closed here") from None
            left = deadline - time.monotonic()

    def close(self) -> None:
        """See `LineStream`: closing the WebSocket closes the program's stdin."""
        try:
            self._socket.close(timeout=1)
        except (websocket.WebSocketException, OSError):
            return

    def _take(self) -> None:
        self._buffer.feed(str(self._socket.read_channel(STDOUT)).encode())
        self._words = (self._words + str(self._socket.read_channel(STDERR)))[-2000:]
        self._status += str(self._socket.read_channel(ERROR))

    def _lost(self, why: str) -> StreamLost:
        status = _exit_status(self._status)
        said = self._words.strip().splitlines()
        parts = [p for p in (status or why or "the connection was closed", said[-1][:300] if said else "") if p]
        return StreamLost(
            f"{self.name}: the exec stream is lost: {': '.join(parts)}.",
            "Check that the pod and its node are up; see 'kubectl describe pod'.",
        )


def _words(failure: BaseException) -> str:
    return (str(failure) or type(failure).__name__).splitlines()[0][:200]


def _exit_status(text: str) -> str:
    """The words of the metav1.Status that ends a command; empty when there is none."""
    if not text:
        return ""
    try:
        status = json.loads(text)
    except ValueError:
        return text[:200]
    if not isinstance(status, dict):
        return text[:200]
    if status.get("status") == "Success":
        return "the agent ended with exit status 0"
    return str(status.get("message", "the agent ended"))[:300]
