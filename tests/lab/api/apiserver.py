"""A real API server process for tests, and a plain HTTPS client of it."""

from __future__ import annotations

import json
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from conformance.lab.api.certificates import Authority, private_key

Json = dict[str, Any]

PATCH = {
    "merge": "application/merge-patch+json",
    "strategic": "application/strategic-merge-patch+json",
    "json": "application/json-patch+json",
    "apply": "application/apply-patch+yaml",
}


@dataclass(frozen=True)
class Answer:
    """What the server said."""

    code: int
    body: Json
    warnings: list[str]

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))

    @property
    def causes(self) -> dict[str, str]:
        """The messages of a 422 by the field that they are about."""
        causes = self.body.get("details", {}).get("causes", [])
        return {each.get("field", ""): each["message"] for each in causes}


class Server:
    """A running server; requests are made as its administrator unless they say otherwise."""

    def __init__(self, state: Path, port: int, authority: Authority) -> None:
        self.state = state
        self.port = port
        self.authority = authority
        self.kubeconfig = state / "kubeconfig"

    def connect(self, certificate: str | None = "admin", seconds: float = 20) -> HTTPSConnection:
        context = ssl.create_default_context(cafile=str(self.state / "ca.crt"))
        if certificate is not None:
            context.load_cert_chain(self.state / f"{certificate}.crt", self.state / f"{certificate}.key")
        return HTTPSConnection("127.0.0.1", self.port, context=context, timeout=seconds)

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        patch: str = "",
        certificate: str | None = "admin",
    ) -> Answer:
        sent = {"Content-Type": PATCH.get(patch, "application/json"), **(headers or {})}
        connection = self.connect(certificate)
        try:
            target = f"{path}?{urlencode(query)}" if query else path
            data = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
            connection.request(method, target, data, sent)
            response = connection.getresponse()
            text = response.read()
            kind = response.headers.get("Content-Type", "")
            parsed = json.loads(text) if kind.startswith("application/json") else {"text": text.decode()}
            return Answer(response.status, parsed, response.headers.get_all("Warning") or [])
        finally:
            connection.close()

    def get(self, path: str, **query: str) -> Answer:
        return self.ask("GET", path, query=query)

    def create(self, path: str, body: Json) -> Answer:
        return self.ask("POST", path, body)

    def made(self, path: str, body: Json) -> Json:
        """The object that a create must have made."""
        answer = self.create(path, body)
        assert answer.code == 201, answer.body
        return answer.body

    def service(self, name: str, **spec: object) -> Answer:
        spec.setdefault("ports", [{"port": 80}])
        return self.create("/api/v1/namespaces/default/services", {"metadata": {"name": name}, "spec": spec})

    def change(self, name: str, **spec: object) -> Answer:
        """A merge patch of a Service's spec."""
        return self.ask("PATCH", f"/api/v1/namespaces/default/services/{name}", {"spec": spec}, patch="merge")

    @contextmanager
    def watch(self, path: str, **query: str) -> Iterator[Iterator[tuple[str, Json]]]:
        """The events of a watch, as they come."""
        connection = self.connect()
        try:
            connection.request("GET", f"{path}?{urlencode({'watch': 'true', **query})}")
            response = connection.getresponse()
            assert response.status == 200, response.read()
            yield _events(response)
        finally:
            connection.close()


def _events(response: HTTPResponse) -> Iterator[tuple[str, Json]]:
    while line := response.readline():
        event = json.loads(line)
        yield event["type"], event["object"]


@contextmanager
def running(state: Path, *options: str) -> Iterator[Server]:
    """A server process on a socket that is open before it starts: whoever connects waits until it serves."""
    authority = Authority(state)
    certificate, key = authority.issue("apiserver", "kube-apiserver", hosts=("127.0.0.1", "localhost"))
    signing = state / "sa.key"
    signing.write_bytes(private_key())
    files = {"tls-cert": certificate, "tls-key": key, "client-ca": authority.path, "sa-key": signing}
    command = [sys.executable, "-m", "conformance.lab.api"]
    command += [part for name, path in files.items() for part in (f"--{name}", str(path))]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        admin = authority.issue("admin", "kubernetes-admin", ("system:masters",))
        authority.kubeconfig(state / "kubeconfig", f"https://127.0.0.1:{port}", *admin)
        log = (state / "log").open("wb")
        fd = listener.fileno()
        process = subprocess.Popen([*command, "--fd", str(fd), *options], pass_fds=[fd], stderr=log)
    try:
        server = Server(state, port, authority)
        assert server.ask("GET", "/readyz").body == {"text": "ok"}
        yield server
    finally:
        process.terminate()
        process.wait(timeout=20)
        log.close()
    told = (state / "log").read_text()
    assert process.returncode == 0, told
    assert "Traceback" not in told, told
