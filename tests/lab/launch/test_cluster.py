"""The whole lab: a cluster that a client outside can use, with everything in its place."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.lab.client import ApiClient, Informer
from conformance.lab.launch.directory import Directory, required
from conformance.lab.launch.start import Lab, environment, launch
from tests.lab.launch.support import Until

Json = dict[str, Any]

_ASK_DNS = """
import sys, dns.message, dns.query
query = dns.message.make_query("kubernetes.default.svc.cluster.local", "A")
for server in sys.argv[1:]:
    print(dns.query.udp(query, server, timeout=5).answer[0][0])
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    started = launch(Directory(tmp_path_factory.mktemp("cluster") / "lab"), nodes=2)
    yield started
    started.stop()


def items(lab: Lab, path: str) -> list[Json]:
    async def ask() -> list[Json]:
        async with ApiClient.from_kubeconfig(lab.kubeconfig) as client:
            found: list[Json] = (await client.list(path))["items"]
            return found

    return asyncio.run(ask())


def nftconform(lab: Lab, verb: str, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "conformance.cli", "lab", verb, "--dir", str(lab.directory), *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment(),
        check=False,
    )


def dns_pod(lab: Lab) -> str:
    pods = items(lab, "/api/v1/namespaces/kube-system/pods")
    return next(str(p["metadata"]["name"]) for p in pods if p["metadata"]["labels"].get("k8s-app") == "kube-dns")


def test_the_kubeconfig_is_for_its_owner_alone(lab: Lab) -> None:
    assert lab.kubeconfig.stat().st_mode & 0o777 == 0o600
    assert "https://127.0.0.1:" in lab.kubeconfig.read_text()


def test_nodes_have_their_places(lab: Lab) -> None:
    seen = {}
    for node in items(lab, "/api/v1/nodes"):
        addresses = [a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP"]
        zone = node["metadata"]["labels"]["topology.kubernetes.io/zone"]
        seen[node["metadata"]["name"]] = (addresses, node["spec"]["podCIDRs"], zone)
    assert seen == {
        "node-a": (["172.30.99.11", "fd99::11"], ["10.244.1.0/24", "fd44:1::/64"], "zone-a"),
        "node-b": (["172.30.99.12", "fd99::12"], ["10.244.2.0/24", "fd44:2::/64"], "zone-b"),
    }


def test_a_client_outside_reaches_services_through_the_proxy(lab: Lab) -> None:
    client = "import socket, sys; print(socket.create_connection(('10.96.0.1', 443), 5).getpeername()[0])"
    done = nftconform(lab, "exec", "x2", "--", sys.executable, "-c", client)
    assert done.stdout == "10.96.0.1\n", done.stderr


def test_cluster_dns_answers_over_its_service_in_both_families(lab: Lab) -> None:
    done = nftconform(lab, "exec", "node-b", "--", sys.executable, "-c", _ASK_DNS, "10.96.0.10", "fd00:96::a")
    assert done.stdout == "10.96.0.1\n10.96.0.1\n", done.stderr


def test_status_says_what_there_is(lab: Lab) -> None:
    lines = nftconform(lab, "status").stdout.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith(f"lab in {lab.directory}: up ")
    for line, node in zip(lines[1:3], ("node-a", "node-b"), strict=True):
        assert line.split()[:2] == [node, "Ready"]
        assert line.endswith("kube-proxy ready")
    assert lines[3] == "pods: 5, 5 of them ready"


def test_a_command_in_a_pod_has_its_network_mounts_and_environment(lab: Lab) -> None:
    name = f"kube-system/{dns_pod(lab)}"
    script = "cat; ip -oneline address show eth0; cat /etc/hostname; echo $KUBERNETES_SERVICE_HOST; pwd"
    done = nftconform(lab, "exec", name, "--", "sh", "-c", script, stdin="typed\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("typed\n")
    assert " 10.244." in done.stdout
    assert done.stdout.splitlines()[-3:] == [dns_pod(lab), "10.96.0.1", "/"]


def test_logs_of_components_and_pods(lab: Lab) -> None:
    assert {"api", "controllers", "kubelet-node-a", "supervisor"} <= set(nftconform(lab, "logs").stdout.split())
    assert "ready in" in nftconform(lab, "logs", "supervisor").stdout
    assert "serving cluster.local" in nftconform(lab, "logs", f"kube-system/{dns_pod(lab)}").stdout
    missing = nftconform(lab, "logs", "default/nobody")
    assert missing.returncode == 3
    assert "404" in missing.stderr


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kubectl_of_the_machine(lab: Lab) -> None:
    done = nftconform(lab, "kubectl", "--request-timeout=20s", "get", "nodes", "--output=name")
    assert done.stdout == "node/node-a\nnode/node-b\n", done.stderr


_ECHO = """
import socket
server = socket.create_server(("::", 8000), family=socket.AF_INET6, dualstack_ipv6=True)
while True:
    connection, address = server.accept()
    connection.sendall((socket.gethostname() + " " + address[0].removeprefix("::ffff:")).encode())
    connection.close()
"""
_DIAL = """
import socket, sys, time
def dial(address):
    with socket.create_connection((address, 80), 2) as connection:
        return connection.recv(100).decode()
for address in sys.argv[1:]:
    deadline, seen = time.monotonic() + 20, set()
    while len(seen) < 2 and time.monotonic() < deadline:  # the second endpoint may be programmed later than the first
        try:
            seen = {dial(address) for _ in range(40)}
        except OSError:
            time.sleep(0.05)
    print(*sorted(seen), sep="\\n")
"""


def test_pods_of_one_node_reach_each_other_and_themselves_through_a_service(lab: Lab) -> None:
    """Replies must pass the node on their way back, whether or not bridges call netfilter here."""
    nodes = {"a": "node-a", "b": "node-a"}
    addresses, service = asyncio.run(echo_service(lab, nodes))
    done = nftconform(lab, "exec", "default/a", "--", sys.executable, "-c", _DIAL, *service)
    assert done.returncode == 0, done.stderr
    ipv4, ipv6 = addresses["a"]
    # To itself a pod comes from its node's bridge, to another pod as itself.
    assert done.stdout.splitlines() == ["a 10.244.1.1", f"b {ipv4}", "a fd44:1::1", f"b {ipv6}"]


async def echo_service(lab: Lab, nodes: dict[str, str]) -> tuple[dict[str, list[str]], list[str]]:
    """Pods by name on nodes, behind one Service: the addresses of each, and the Service's."""
    labels = {"app": "echo"}
    async with ApiClient.from_kubeconfig(lab.kubeconfig) as client:
        container = {"name": "echo", "image": "python", "command": [sys.executable, "-c", _ECHO]}
        for name, node in nodes.items():
            spec = {"nodeName": node, "containers": [container], "terminationGracePeriodSeconds": 0}
            await client.create(
                "/api/v1/namespaces/default/pods", {"metadata": {"name": name, "labels": labels}, "spec": spec}
            )
        ports = [{"port": 80, "targetPort": 8000}]
        spec = {"selector": labels, "ipFamilyPolicy": "RequireDualStack", "ports": ports}
        made = await client.create("/api/v1/namespaces/default/services", {"metadata": {"name": "echo"}, "spec": spec})
        pods = Informer(client, "/api/v1/namespaces/default/pods", {"labelSelector": "app=echo"})
        watch = asyncio.ensure_future(pods.run())
        await asyncio.wait_for(pods.until(lambda items: all(map(_running, items.values()))), 60)
        watch.cancel()
        found = {
            pod["metadata"]["name"]: [address["ip"] for address in pod["status"]["podIPs"]]
            for pod in pods.items.values()
        }
    return found, made["spec"]["clusterIPs"]


def _running(pod: Json) -> bool:
    return any(c["type"] == "Ready" and c["status"] == "True" for c in pod["status"].get("conditions", ()))


def process_called(lab: Lab, name: str) -> int | None:
    """The PID, on this machine, of a component of the lab."""
    inside = Path(f"/proc/{required(Directory(lab.directory)).supervisor}/ns/pid").stat().st_ino
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if (entry / "ns/pid").stat().st_ino == inside and (entry / "comm").read_text().strip() == name[:15]:
                    return int(entry.name)
            except OSError:
                continue
    return None


def test_a_component_that_ends_is_started_again(lab: Lab, until: Until) -> None:
    first = process_called(lab, "loadbalancer")
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: process_called(lab, "loadbalancer") not in (None, first))


def test_without_its_api_server_the_lab_ends(tmp_path: Path, until: Until) -> None:
    started = launch(Directory(tmp_path / "lab"), nodes=1)
    api = process_called(started, "api")
    assert api is not None
    os.kill(api, signal.SIGKILL)
    until(lambda: not started.directory.exists())
    started.stop()
