"""A rootless lab on the chained profile: Services, hostPorts, an agent that is killed, and nothing left behind."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from conformance.cli.cni import folder
from conformance.lab.client import ApiClient, Informer
from conformance.lab.cni.choice import USUAL, of_profile
from conformance.lab.conditions import ready
from conformance.lab.launch.directory import Directory
from conformance.lab.launch.start import Lab, launch
from tests.lab.launch.test_cluster import nftconform, process_called

Json = dict[str, Any]
PODS = "/api/v1/namespaces/default/pods"
NODE = "172.30.99.11"

pytestmark = [
    pytest.mark.skipif(not any(Path(one).is_dir() for one in USUAL), reason="needs containernetworking-plugins"),
    pytest.mark.skipif(not Path("/proc/sys/net/bridge").is_dir(), reason="needs the kernel's br_netfilter"),
]

_SERVER = """
import socketserver
class Web(socketserver.BaseRequestHandler):
    def handle(self): self.request.sendall(self.client_address[0].removeprefix("::ffff:").encode())
class Server(socketserver.ThreadingTCPServer): address_family, allow_reuse_address = 10, True
Server(("::", 8000), Web).serve_forever()
"""
_DIAL = """
import socket, sys
for address, port in zip(sys.argv[1::2], sys.argv[2::2]):
    try: print(socket.create_connection((address, int(port)), 5).recv(99).decode())
    except OSError as error: print(error.__class__.__name__)
"""


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    network = of_profile(folder(), "chain")
    started = launch(Directory(tmp_path_factory.mktemp("cni") / "lab"), nodes=2, user_namespace=True, cni=network)
    yield started
    started.stop()


def pod(name: str, node: str, **container: object) -> Json:
    made = {"name": "c", "image": "any", "command": ["sleep", "1000"], **container}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"nodeName": node, "terminationGracePeriodSeconds": 1, "containers": [made]},
    }


async def until(pods: Informer, formerly: dict[str, str]) -> dict[str, str]:
    """The addresses of these pods once each is ready and has another one than formerly."""
    while True:
        found = {name: pods.items.get(f"default/{name}", {}) for name in formerly}
        addresses = {name: str(one["status"].get("podIP")) for name, one in found.items() if one and ready(one)}
        if len(addresses) == len(formerly) and not any(addresses[name] == formerly[name] for name in formerly):
            return addresses
        await pods.changed()


def test_a_chain_of_real_plugins(lab: Lab) -> None:
    def dial(where: str, *targets: str) -> list[str]:
        done = nftconform(lab, "exec", where, "--", sys.executable, "-c", _DIAL, *targets)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def served(where: str, virtual: str) -> None:
        deadline = monotonic() + 60
        while dial(where, virtual, "80") == ["ConnectionRefusedError"]:
            assert monotonic() < deadline, f"{virtual} is not served at {where}"

    def node(*command: str) -> str:
        return nftconform(lab, "exec", "node-a", "--", *command).stdout

    def leases() -> set[str]:
        found = node("ls", str(lab.directory / "run/kubelet/node-a/cni/leases/chain")).split()
        return {name for name in found if name.startswith(("10.", "fd"))}

    def host_ports() -> str:
        return node("iptables-save", "-t", "nat")

    async def story(client: ApiClient, pods: Informer) -> None:
        before = await asyncio.to_thread(leases)
        ports = [{"containerPort": 8000, "hostPort": 18000}]
        probe = {"tcpSocket": {"port": 8000}, "periodSeconds": 1}
        server = {"command": [sys.executable, "-c", _SERVER], "ports": ports, "readinessProbe": probe}
        await client.create(PODS, pod("web", "node-a", **server))
        await client.create(PODS, pod("client", "node-b"))
        service = {"selector": {"app": "web"}, "ports": [{"port": 80, "targetPort": 8000}]}
        body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": service}
        virtual = (await client.create("/api/v1/namespaces/default/services", body))["spec"]["clusterIP"]
        found = await until(pods, {"web": "", "client": ""})
        own, other = found["web"], found["client"]
        for name in found:  # a pod is ready before each node's proxy knows of it
            await asyncio.to_thread(served, f"default/{name}", virtual)
        seen = await asyncio.to_thread(dial, "default/client", virtual, "80", NODE, "18000", own, "8000")
        assert seen == [other] * 3
        hairpins = await asyncio.to_thread(dial, "default/web", virtual, "80", NODE, "18000")
        assert own not in hairpins and all(one[0].isdigit() for one in hairpins)
        assert await asyncio.to_thread(dial, "x1", NODE, "18000") == ["172.30.99.101"]
        assert own in await asyncio.to_thread(leases)
        assert "18000" in await asyncio.to_thread(host_ports)

        # The agent is killed; its successor finds what plugins hold of pods that are gone, and takes it away.
        kubelet = process_called(lab, "kubelet-node-a")
        assert kubelet is not None
        os.kill(kubelet, signal.SIGKILL)
        again = await until(pods, {"web": own})
        assert await asyncio.to_thread(dial, "default/client", NODE, "18000") == [other]
        assert own not in await asyncio.to_thread(leases)
        assert again["web"] in await asyncio.to_thread(leases)
        assert f"{own}:8000" not in await asyncio.to_thread(host_ports)

        for name in found:
            await client.delete(f"{PODS}/{name}")
        while pods.items:
            await pods.changed()
        assert "18000" not in await asyncio.to_thread(host_ports)
        assert len(await asyncio.to_thread(leases)) == len(before)

    async def on_the_lab() -> None:
        async with ApiClient.from_kubeconfig(lab.kubeconfig) as client, asyncio.timeout(120):
            pods = Informer(client, PODS)
            following = asyncio.ensure_future(pods.run())
            await pods.synced.wait()
            await story(client, pods)
            following.cancel()

    asyncio.run(on_the_lab())
