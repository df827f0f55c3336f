"""Who is shown faults, and how lists and watches of it hold together."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

from conformance.lab.faults.board import Board, Switch
from conformance.lab.faults.scene import USER_AGENT
from tests.lab.api.apiserver import Answer, Json, Server, running

SERVICES = "/api/v1/services"
PODS, ACCOUNTS = "/api/v1/namespaces/kube-system/pods", "/api/v1/namespaces/kube-system/serviceaccounts"
FAULT = Switch("EXTERNAL_IP_NOT_SERVED", node="node-a")


class Proxy:
    """A kube-proxy of one node: a pod's own token, and what it asks with it."""

    def __init__(self, server: Server, node: str) -> None:
        container = {"name": "c", "image": "example.com/x:1"}
        spec = {"serviceAccountName": "kube-proxy", "nodeName": node, "containers": [container]}
        pod = server.made(PODS, {"metadata": {"name": f"kube-proxy-{node}"}, "spec": spec})["metadata"]
        bound = {"kind": "Pod", "apiVersion": "v1", "name": pod["name"], "uid": pod["uid"]}
        asked = server.made(f"{ACCOUNTS}/kube-proxy/token", {"spec": {"boundObjectRef": bound}})
        self._headers = {"Authorization": f"Bearer {asked['status']['token']}"}
        self._server = server

    def list(self, agent: str = "kube-proxy") -> Answer:
        return self._server.ask("GET", SERVICES, headers={**self._headers, "User-Agent": agent}, certificate=None)

    @contextmanager
    def watch(self, version: str) -> Iterator[Iterator[tuple[str, Json]]]:
        connection = self._server.connect(None)
        query = urlencode({"watch": "true", "resourceVersion": version, "timeoutSeconds": "20"})
        try:
            connection.request("GET", f"{SERVICES}?{query}", headers=self._headers)
            response = connection.getresponse()
            yield ((event["type"], event["object"]) for line in response if (event := json.loads(line)))
        finally:
            connection.close()


def external_ips(answer: Answer) -> list[list[str]]:
    return [one["spec"]["externalIPs"] for one in answer.body["items"] if "externalIPs" in one["spec"]]


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[Server, Board]]:
    """A server with a switchboard, and one Service with an external IP."""
    board = Board(tmp_path / "faults")
    board.install()
    with running(tmp_path, "--faults", str(board.folder)) as server:
        server.made(ACCOUNTS, {"metadata": {"name": "kube-proxy"}})
        subject = {"kind": "ServiceAccount", "name": "kube-proxy", "namespace": "kube-system"}
        role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:node-proxier"}
        bindings = "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings"
        server.made(bindings, {"metadata": {"name": "proxy"}, "roleRef": role, "subjects": [subject]})
        assert server.service("web", externalIPs=["192.0.2.1"]).code == 201
        yield server, board


def test_only_the_kube_proxy_of_the_node_is_deceived(lab: tuple[Server, Board]) -> None:
    server, board = lab
    here, there = Proxy(server, "node-a"), Proxy(server, "node-b")
    assert external_ips(here.list()) == [["192.0.2.1"]]
    board.write([FAULT])
    assert external_ips(here.list()) == []
    for truth in (there.list(), server.get(SERVICES), here.list(USER_AGENT)):
        assert external_ips(truth) == [["192.0.2.1"]]
    board.write([])
    assert external_ips(here.list()) == [["192.0.2.1"]]


def test_a_watch_goes_on_where_its_list_ended(lab: tuple[Server, Board]) -> None:
    server, board = lab
    board.write([FAULT])
    proxy = Proxy(server, "node-a")
    version = proxy.list().body["metadata"]["resourceVersion"]
    server.service("more", externalIPs=["192.0.2.2"])
    with proxy.watch(version) as events:
        change, one = next(events)
        assert (change, one["metadata"]["name"], "externalIPs" in one["spec"]) == ("ADDED", "more", False)
        server.change("more", externalIPs=["192.0.2.3"], sessionAffinity="ClientIP")
        change, one = next(events)
        assert (change, one["spec"]["sessionAffinity"], "externalIPs" in one["spec"]) == ("MODIFIED", "ClientIP", False)
        latest = one["metadata"]["resourceVersion"]
    server.ask("DELETE", "/api/v1/namespaces/default/services/more")
    with proxy.watch(latest) as events:
        assert [(change, one["metadata"]["name"]) for change, one in [next(events)]] == [("DELETED", "more")]
    with proxy.watch(version) as events:
        change, one = next(events)
        assert (change, one["code"]) == ("ERROR", 410)
