"""Reaching an API server: every way in which that fails is one clear sentence without credentials."""

from __future__ import annotations

import copy
import json
import os
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.cluster.connection import connect
from conformance.cluster.failures import ApiRefused, refused
from conformance.cluster.paths import collection_of, kind
from conformance.errors import ClusterError, UsageError

Config = dict[str, Any]


@pytest.fixture
def variant(api: Path, tmp_path: Path) -> Callable[[Callable[[Config], object]], Path]:
    """The API server's kubeconfig, changed."""

    def write(change: Callable[[Config], object]) -> Path:
        config = copy.deepcopy(yaml.safe_load(api.read_text()))
        change(config)
        path = tmp_path / "kubeconfig"
        path.write_text(yaml.safe_dump(config))
        return path

    return write


def test_it_connects(api: Path) -> None:
    assert connect(api).version().startswith("v1.")


def test_from_the_environment(api: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(api))
    assert connect().version().startswith("v1.")


def test_no_cluster_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(ClusterError, match="No cluster is named"):
        connect()


def test_a_home_that_is_not_ours_is_no_kubeconfig(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As in a pod: the image's user may have no home, or one that another user of the node owns."""
    monkeypatch.delenv("KUBECONFIG", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    tmp_path.chmod(0)
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    try:
        with pytest.raises(ClusterError, match="No cluster is named"):
            connect()
    finally:
        os.seteuid(before)
        tmp_path.chmod(0o700)
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(os, "getuid", lambda: 987_654)
    with pytest.raises(ClusterError, match="No cluster is named"):
        connect()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file"),
        ("a: [", r"is not YAML \(line 1\)"),
        ("token: very-secret\n\tx", r"is not YAML \(line 2\)"),
        ("hello", "is not a kubeconfig"),
        ("kind: Pod", "is not a kubeconfig"),
        ("kind: Config", "cannot be used"),
    ],
)
def test_files_that_are_no_kubeconfig(tmp_path: Path, content: str | None, why: str) -> None:
    path = tmp_path / "config"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ClusterError, match=why) as failure:
        connect(path)
    assert str(path) in failure.value.cause
    assert "secret" not in str(failure.value)


def test_a_context_that_is_not_there(api: Path) -> None:
    with pytest.raises(ClusterError, match="has no context 'prod'") as failure:
        connect(api, "prod")
    assert failure.value.hint.startswith("It has: ")


def _server(config: Config, url: str) -> None:
    config["clusters"][0]["cluster"]["server"] = url


def test_nobody_listens(variant: Callable[[Callable[[Config], object]], Path]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = variant(lambda c: _server(c, f"https://127.0.0.1:{port}"))
    with pytest.raises(
        ClusterError, match=rf"Cannot reach the API server https://127.0.0.1:{port}: connection refused"
    ):
        connect(path)


def test_a_name_that_does_not_resolve(variant: Callable[[Callable[[Config], object]], Path]) -> None:
    path = variant(lambda c: _server(c, "https://no-such-host.invalid:6443"))
    with pytest.raises(ClusterError, match="its name does not resolve"):
        connect(path)


@contextmanager
def listener(answer: bytes) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield server.getsockname()[1]
        thread.join(5)


def test_a_server_without_tls(variant: Callable[[Callable[[Config], object]], Path]) -> None:
    with listener(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        path = variant(lambda c: _server(c, f"https://127.0.0.1:{port}"))
        with pytest.raises(ClusterError, match="TLS failed"):
            connect(path)


def test_a_foreign_certificate(variant: Callable[[Callable[[Config], object]], Path], tmp_path: Path) -> None:
    pem = tmp_path / "other.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subprocess.run(
        [*command, "-keyout", os.devnull, "-out", str(pem), "-subj", "/CN=other"], check=True, capture_output=True
    )

    def change(config: Config) -> None:
        cluster = config["clusters"][0]["cluster"]
        cluster.pop("certificate-authority-data", None)
        cluster["certificate-authority"] = str(pem)

    with pytest.raises(ClusterError, match="its certificate is not trusted"):
        connect(variant(change))


def test_credentials_that_are_not_accepted(variant: Callable[[Callable[[Config], object]], Path]) -> None:
    def change(config: Config) -> None:
        config["users"][0]["user"] = {"token": "very-secret-and-expired"}

    with pytest.raises(ApiRefused, match="does not accept the credentials") as failure:
        connect(variant(change))
    assert failure.value.status == 401
    assert "secret" not in str(failure.value)


def test_a_missing_permission_names_verb_and_resource() -> None:
    message = (
        'services is forbidden: User "ci" cannot list resource "services" in API group "" in the namespace "default"'
    )
    body = json.dumps({"kind": "Status", "reason": "Forbidden", "message": message}).encode()
    error = refused(403, body, "GET /api/v1/services")
    assert error.cause == 'The credentials do not permit to list services in the namespace "default".'
    assert error.denied and not error.decided
    error = refused(403, b"", "GET /x")
    assert error.cause == "The credentials do not permit to GET /x."


def test_an_admissions_no_is_not_the_credentials_fault() -> None:
    message = 'services "x" is forbidden: Use of external IPs is denied by admission control.'
    error = refused(403, json.dumps({"kind": "Status", "reason": "Forbidden", "message": message}).encode(), "POST /x")
    assert error.cause == f"An admission of the API server forbids POST /x: {message}"
    assert error.decided and not error.denied


def test_what_a_server_decided_is_told_from_what_it_could_not() -> None:
    answers = {
        409: ("AlreadyExists", "it is there", True),
        422: ("Invalid", "it is wrong", True),
        429: ("TooManyRequests", "slowly", False),
        401: ("Unauthorized", "who?", False),
        500: ("InternalError", "oh", False),
        404: ("NotFound", "the server could not find the requested resource", False),
    }
    for status, (reason, message, decided) in answers.items():
        assert refused(status, json.dumps({"reason": reason, "message": message}).encode(), "GET /x").decided is decided
    gone = json.dumps({"reason": "NotFound", "message": 'services "x" not found'}).encode()
    assert refused(404, gone, "GET /x").decided


def test_objects_come_and_go(api: Path) -> None:
    cluster = connect(api)
    config_map = {
        "kind": "ConfigMap",
        "apiVersion": "v1",
        "metadata": {"name": "x", "namespace": "default"},
        "data": {},
    }
    path = kind("ConfigMap").path("default", "x")
    assert cluster.find(path) is None
    assert cluster.delete(path) is False
    items, version = cluster.snapshot(collection_of(config_map))
    assert "x" not in [i["metadata"]["name"] for i in items]
    cluster.create(collection_of(config_map), config_map)
    cluster.patch(path, {"data": {"a": "1"}})
    cluster.patch(path, [{"op": "add", "path": "/data/b", "value": "2"}])
    stored = cluster.get(path)
    assert stored["data"] == {"a": "1", "b": "2"}
    cluster.update(path, {**stored, "data": {"c": "3"}})
    assert cluster.delete(path) is True
    events = cluster.watch(collection_of(config_map), version, 2)
    kinds = [kind_ for kind_, o in events if kind_ != "BOOKMARK" and o["metadata"]["name"] == "x"]
    assert kinds == ["ADDED", "MODIFIED", "MODIFIED", "MODIFIED", "DELETED"]
    assert cluster.objects("ConfigMap", "default") == items


def test_a_conflict_is_the_apis_own_word(api: Path) -> None:
    cluster = connect(api)
    with pytest.raises(ApiRefused, match=r"409 AlreadyExists to POST /api/v1/namespaces") as failure:
        cluster.create("/api/v1/namespaces", {"kind": "Namespace", "metadata": {"name": "default"}})
    assert failure.value.status == 409


def test_paths() -> None:
    assert kind("Pod").path("ns", "p", "exec") == "/api/v1/namespaces/ns/pods/p/exec"
    assert kind("EndpointSlice").path() == "/apis/discovery.k8s.io/v1/endpointslices"
    assert kind("Node").path("ignored", "n") == "/api/v1/nodes/n"
    with pytest.raises(UsageError, match="does not know objects of kind 'Gadget'"):
        kind("Gadget")
