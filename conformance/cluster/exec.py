"""A program in a pod, over the API server's exec WebSocket."""

from __future__ import annotations

import ast
import json
import re
import time
from typing import Any

import websocket
from kubernetes import client
from kubernetes.client.exceptions import ApiException
from kubernetes.stream import stream

from conformance.cluster.api import Cluster
from conformance.cluster.failures import refused, unreachable
from conformance.cluster.stream import LineBuffer, StreamLost
from conformance.errors import ClusterError

STDIN, STDOUT, STDERR, ERROR = range(4)
STALLED = 30.0


class ExecStream:
    """A `LineStream` over one exec (v4 or v5.channel.k8s.io); `ClusterError` when it cannot be opened."""

    def __init__(self, cluster: Cluster, namespace: str, pod: str, command: list[str], container: str = "") -> None:
        self.name = f"pod {namespace}/{pod}"
        self._buffer = LineBuffer()
        self._words = ""  # the end of its stderr
        self._status = ""  # the metav1.Status that ends a command
        # kubernetes.stream replaces a method of the ApiClient while it connects: each exec needs a client of its own.
        api = client.CoreV1Api(client.ApiClient(cluster.configuration))
        try:
            self._socket: Any = stream(
                api.connect_get_namespaced_pod_exec,
                pod,
                namespace,
                command=command,
                stdin=True,
                stdout=True,
                stderr=True,
                tty=False,
                _preload_content=False,
                _request_timeout=STALLED,
                **({"container": container} if container else {}),
            )
        except ApiException as failure:
            raise self._unopened(failure, cluster.server) from None
        except (websocket.WebSocketException, OSError) as failure:
            raise unreachable(failure, cluster.server) from None
        finally:
            api.api_client.close()
        self._socket.sock.settimeout(STALLED)

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
        deadline = time.monotonic() + timeout
        while True:
            line = self._buffer.next()
            if line is not None:
                return line
            left = deadline - time.monotonic()
            if left < 0:
                return None
            if self._status or not self._socket.is_open():
                raise self._lost("")
            try:
                self._socket.update(timeout=left)
                self._take()
            except (websocket.WebSocketException, OSError) as failure:
                raise self._lost(_words(failure)) from None

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

    def _unopened(self, failure: ApiException, server: str) -> ClusterError:
        """The WebSocket handshake's refusal; its text quotes headers, so only status and API message are taken."""
        text = str(failure.reason or "")
        status = re.search(r"Handshake status (\d+)", text)
        if not status:
            return StreamLost(
                f"{self.name}: the exec stream did not open: {text.splitlines()[0][:200] if text else 'no reason'}.",
                f"Check the network path to {server}.",
            )
        return refused(int(status[1]), _body(text), f"create pods/exec for {self.name}")


def _body(text: str) -> bytes:
    """The answer's body in websocket-client's words for a refused handshake: it stands last, sometimes as repr."""
    body = text.rpartition("-+-+-")[2].strip()
    if not body.startswith(("b'", 'b"')):
        return body.encode()
    try:
        return bytes(ast.literal_eval(body))
    except (ValueError, SyntaxError):
        return b""


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
