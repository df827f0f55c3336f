"""Questions to a server over HTTP: what it answers is an answer, and all it may do instead is a reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from kubernetes import client

from conformance.cluster.api import Cluster
from conformance.cluster.failures import ApiRefused
from conformance.facts import ask

SYSTEM = "/api/v1/namespaces/kube-system"
FORBIDDEN = 'pods "kube-proxy-no:10249" is forbidden: User "u" cannot get resource "pods/proxy" in API group "" in the '
ANSWERS: dict[str, tuple[int, str]] = {
    f"{SYSTEM}/pods/kube-proxy-a:10249/proxy/proxyMode": (200, "nftables"),
    f"{SYSTEM}/pods/kube-proxy-long:10249/proxy/proxyMode": (200, "x" * 1_000_000),
    f"{SYSTEM}/pods/kube-proxy-deaf:10249/proxy/proxyMode": (503, "error trying to reach service: connection refused"),
    f"{SYSTEM}/pods/kube-proxy-no:10249/proxy/proxyMode": (403, f'{FORBIDDEN}namespace "kube-system"'),
    f"{SYSTEM}/configmaps/broken": (200, "<html>"),
    f"{SYSTEM}/configmaps/expired": (401, "Unauthorized"),
    f"{SYSTEM}/configmaps/there": (200, '{"kind": "ConfigMap"}'),
}


class _Answering(BaseHTTPRequestHandler):
    asked: set[str] = set()  # noqa: RUF012  the class is made anew for each server

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        self.asked.add(path)
        status, words = ANSWERS.get(path, (404, "the server could not find the requested resource"))
        reason = {401: "Unauthorized", 403: "Forbidden", 404: "NotFound", 503: "ServiceUnavailable"}.get(status)
        body = words if reason is None else json.dumps({"reason": reason, "message": words})
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body.encode())
        except ConnectionError:
            return  # who asked has heard enough

    def log_message(self, *_: object) -> None:
        """Nothing: a test's output is for its failures."""


@pytest.fixture
def asked() -> set[str]:
    return set()


@pytest.fixture
def cluster(asked: set[str]) -> Iterator[Cluster]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Answering", (_Answering,), {"asked": asked}))
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    configuration = client.Configuration()
    configuration.host = f"http://127.0.0.1:{server.server_port}"
    try:
        yield Cluster(configuration)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def pod(name: str, node: str = "") -> dict[str, Any]:
    return {"metadata": {"name": name}, "spec": {"nodeName": node or f"on-{name}"}}


def test_proxies_are_asked_and_one_that_is_silent_does_not_hide_another(cluster: Cluster) -> None:
    pods = [pod("kube-proxy-a", "a"), pod("kube-proxy-deaf", "b"), pod("kube-proxy-long", "c")]
    answers, why = ask.proxy_modes(cluster, pods, 10249)
    assert answers == {"a": "nftables", "b": None, "c": "x" * 4096}
    assert "error trying to reach service: connection refused" in why


def test_a_permission_that_lacks_is_named(cluster: Cluster) -> None:
    answers, why = ask.proxy_modes(cluster, [pod("kube-proxy-no", "a")], 10249)
    assert answers == {"a": None}
    assert why.endswith("not permitted: grant 'get pods/proxy in kube-system'")


def test_no_pod_and_a_lost_server_are_reasons(cluster: Cluster) -> None:
    assert ask.proxy_modes(cluster, [], 10249)[1].endswith("no kube-proxy pod with k8s-app=kube-proxy in kube-system")
    nowhere = client.Configuration()
    nowhere.host = "http://127.0.0.1:1"
    assert "connection refused" in ask.proxy_modes(Cluster(nowhere), [pod("kube-proxy-a")], 10249)[1]


def test_only_a_sample_of_many_is_asked(cluster: Cluster, asked: set[str]) -> None:
    answers, _ = ask.proxy_modes(cluster, [pod(f"kube-proxy-{i:03}") for i in range(100)], 10249)
    assert len(answers) == 100
    assert len(asked) == ask.PROXIES_ASKED


@pytest.mark.parametrize("name", ["../../secrets", "a/b", "A", "", "a?x=y", "a%2f", "a\n"])
def test_no_path_is_built_from_what_is_no_name(cluster: Cluster, asked: set[str], name: str) -> None:
    assert ask.proxy_modes(cluster, [pod(name)], 10249)[0] == {}
    if name:
        assert "is no namespace" in ask.one(cluster, "ConfigMap", "x", name).where
    assert not asked


def test_an_object_is_there_or_not_or_cannot_be_read(cluster: Cluster) -> None:
    there = ask.one(cluster, "ConfigMap", "there", "kube-system")
    assert (there.found, there.where) == ({"kind": "ConfigMap"}, "ConfigMap kube-system/there")
    assert ask.one(cluster, "ConfigMap", "x", "kube-system").where == "there is no ConfigMap kube-system/x"
    assert ask.one(cluster, "Installation", "default").where == "there is no Installation default"
    assert "no JSON" in ask.one(cluster, "ConfigMap", "broken", "kube-system").where
    assert ask.many(cluster, "ServiceCIDR").where == "the API has no ServiceCIDR objects"


def test_credentials_that_are_not_accepted_would_fail_every_question(cluster: Cluster) -> None:
    with pytest.raises(ApiRefused, match="does not accept the credentials"):
        ask.one(cluster, "ConfigMap", "expired", "kube-system")
