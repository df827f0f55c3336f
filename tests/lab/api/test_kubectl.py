"""The unmodified kubectl and the unmodified Python client, as people use them."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest
from kubernetes import client, config, watch

from tests.lab.api.apiserver import Json, Server

MANIFEST = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: %d
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: c, image: x, ports: [{containerPort: 80}]}]
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {selector: {app: web}, ports: [{port: %d}]}
"""


class Kubectl:
    """kubectl in one namespace."""

    def __init__(self, server: Server, namespace: str) -> None:
        self._command = ["kubectl", f"--kubeconfig={server.kubeconfig}", f"--namespace={namespace}"]

    def run(self, *arguments: str, given: str = "") -> subprocess.CompletedProcess[str]:
        command = [*self._command, *arguments]
        return subprocess.run(command, input=given, capture_output=True, text=True, timeout=60, check=False)

    def says(self, *arguments: str, given: str = "") -> str:
        done = self.run(*arguments, given=given)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def shows(self, *arguments: str) -> Json:
        found: Json = json.loads(self.says("get", "-o", "json", *arguments))
        return found


@pytest.fixture
def kubectl(server: Server, namespace: str) -> Kubectl:
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    return Kubectl(server, namespace)


def test_create_commands(kubectl: Kubectl, namespace: str) -> None:
    """They send protobuf, unlike everything that begins with a file."""
    kubectl.says("create", "configmap", "map", "--from-literal=a=b")
    kubectl.says("create", "secret", "generic", "secret", "--from-literal=a=b")
    kubectl.says("create", "serviceaccount", "robot")
    kubectl.says("create", "deployment", "web", "--image=x", "--replicas=2", "--port=80", "--", "run", "-v")
    kubectl.says("create", "service", "nodeport", "door", "--tcp=80:http", "--node-port=30999")
    kubectl.says("create", "role", "reader", "--verb=get,list", "--resource=pods,pods/log")
    kubectl.says("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:robot")
    assert kubectl.shows("cm", "map")["data"] == {"a": "b"}
    assert kubectl.shows("secret", "secret")["data"] == {"a": "Yg=="}
    spec = kubectl.shows("deploy", "web")["spec"]
    assert spec["replicas"] == 2
    assert spec["template"]["spec"]["containers"][0]["command"] == ["run", "-v"]
    assert kubectl.shows("svc", "door")["spec"]["ports"] == [
        {"name": "80-http", "nodePort": 30999, "port": 80, "protocol": "TCP", "targetPort": "http"}
    ]
    robot = f"--as=system:serviceaccount:{namespace}:robot"
    assert kubectl.run("auth", "can-i", "get", "pods/log", robot).stdout == "yes\n"
    assert kubectl.run("auth", "can-i", "delete", "pods", robot).stdout == "no\n"
    assert kubectl.says("create", "token", "robot").count(".") == 2
    assert "kubernetes-admin" in kubectl.says("auth", "whoami")


def test_apply_edits_and_conflicts(kubectl: Kubectl) -> None:
    assert "created" in kubectl.says("apply", "-f", "-", given=MANIFEST % (2, 80))
    assert "unchanged" in kubectl.says("apply", "-f", "-", given=MANIFEST % (2, 80))
    assert "configured" in kubectl.says("apply", "-f", "-", given=MANIFEST % (3, 81))
    assert kubectl.shows("svc", "web")["spec"]["ports"][0]["port"] == 81
    kubectl.says("scale", "deploy", "web", "--replicas=5")
    refused = kubectl.run("apply", "--server-side", "-f", "-", given=MANIFEST % (4, 81))
    assert refused.returncode == 1 and ".spec.replicas" in refused.stderr
    kubectl.says("apply", "--server-side", "--force-conflicts", "-f", "-", given=MANIFEST % (4, 81))
    assert kubectl.shows("deploy", "web")["spec"]["replicas"] == 4
    kubectl.says("set", "image", "deploy/web", "c=y")
    kubectl.says("patch", "svc", "web", "-p", '{"spec":{"type":"NodePort"}}')
    kubectl.says("label", "svc", "web", "a=b")
    kubectl.says("annotate", "svc", "web", "c=d")
    assert kubectl.says("get", "svc", "-l", "a=b", "-o", "name") == "service/web\n"
    assert "deleted" in kubectl.says("delete", "-f", "-", given=MANIFEST % (4, 81))


def test_a_bad_manifest_is_refused_with_the_field(kubectl: Kubectl) -> None:
    refused = kubectl.run("create", "-f", "-", given=MANIFEST % (1, 70000))
    assert 'Service "web" is invalid' in refused.stderr
    assert "spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive" in refused.stderr
    unknown = kubectl.run("create", "-f", "-", given=(MANIFEST % (1, 80)).replace("{port:", "{colour: red, port:"))
    assert 'unknown field "spec.ports[0].colour"' in unknown.stderr


def test_tables_and_descriptions(kubectl: Kubectl, server: Server, namespace: str) -> None:
    kubectl.says("create", "service", "loadbalancer", "lb", "--tcp=80")
    lines = kubectl.says("get", "svc", "-o", "wide").splitlines()
    assert lines[0].split() == ["NAME", "TYPE", "CLUSTER-IP", "EXTERNAL-IP", "PORT(S)", "AGE", "SELECTOR"]
    cells = lines[1].split()
    assert (cells[0], cells[1], cells[3], cells[6]) == ("lb", "LoadBalancer", "<pending>", "app=lb")
    described = kubectl.says("describe", "svc", "lb")
    assert "IP Family Policy:         SingleStack" in described
    slices = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    ports = [{"name": "a", "port": 80}, {"name": "b", "port": 81}]
    server.made(
        slices,
        {
            "metadata": {"name": "s", "labels": {"kubernetes.io/service-name": "lb"}},
            "addressType": "IPv4",
            "ports": ports,
            "endpoints": [{"addresses": [f"10.0.0.{n}"]} for n in range(1, 6)],
        },
    )
    table = kubectl.says("get", "endpointslices")
    assert "10.0.0.1,10.0.0.2,10.0.0.3 + 2 more..." in table and "80,81" in table


def test_the_server_says_what_it_has(kubectl: Kubectl) -> None:
    assert "v1.36.2+nftconform.lab" in kubectl.says("version")
    resources = kubectl.says("api-resources", "--no-headers")
    assert any(line.split()[:2] == ["services", "svc"] for line in resources.splitlines())
    assert "discovery.k8s.io/v1" in kubectl.says("api-versions").splitlines()


def test_deleting_waits_until_it_is_gone(kubectl: Kubectl, server: Server, namespace: str) -> None:
    body = {"metadata": {"name": "held", "finalizers": ["x.io/held"]}}
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    server.made(path, body)
    waiting = kubectl.run("delete", "cm", "held", "--timeout=1s")
    assert waiting.returncode == 1 and "timed out waiting for the condition" in waiting.stderr
    server.ask("PATCH", f"{path}/held", {"metadata": {"finalizers": None}}, patch="merge")
    assert kubectl.run("get", "cm", "held").returncode == 1


@pytest.fixture
def core(server: Server) -> Iterator[Any]:
    config.load_kube_config(str(server.kubeconfig))  # type: ignore[no-untyped-call]
    # its models make everything optional: strict types would ask for an assertion per field
    api: Any = client.CoreV1Api()
    yield api
    api.api_client.close()


def test_the_python_client(core: Any, namespace: str) -> None:  # noqa: ANN401
    port = client.V1ServicePort(port=80, target_port="http")
    spec = client.V1ServiceSpec(selector={"app": "x"}, ports=[port], ip_family_policy="PreferDualStack")
    made = core.create_namespaced_service(
        namespace, client.V1Service(metadata=client.V1ObjectMeta(name="web"), spec=spec)
    )
    assert made.spec.ip_families == ["IPv4", "IPv6"]
    made.spec.type = "NodePort"
    changed = core.replace_namespaced_service("web", namespace, made)
    assert changed.spec.ports[0].node_port >= 30000
    listed = core.list_namespaced_service(namespace, label_selector="!none", limit=1)
    assert [each.metadata.name for each in listed.items] == ["web"]
    with pytest.raises(client.ApiException) as refused:
        core.replace_namespaced_service("web", namespace, made)
    assert refused.value.status == 409
    version = listed.metadata.resource_version
    core.delete_namespaced_service("web", namespace)
    watching: Any = watch.Watch
    query = {"resource_version": version, "timeout_seconds": 1}
    events = watching().stream(core.list_namespaced_service, namespace, **query)
    assert [(each["type"], each["object"].metadata.name) for each in events] == [("DELETED", "web")]
