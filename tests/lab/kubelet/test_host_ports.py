"""hostPorts of the built-in bridge, in a rootless node."""

from __future__ import annotations

from typing import Any

from tests.lab.kubelet.sandbox import Cluster, Sandbox, drive, exec_output

Json = dict[str, Any]

_SERVER = """
import socketserver
class Web(socketserver.BaseRequestHandler):
    def handle(self): self.request.sendall(self.client_address[0].encode())
class Server(socketserver.ThreadingTCPServer): address_family, allow_reuse_address = 10, True
Server(("::", 8080), Web).serve_forever()
"""


def _dial(address: str, port: int) -> str:
    return (
        "import socket\n"
        f"try: print(socket.create_connection(('{address}', {port}), 2).recv(99).decode().removeprefix('::ffff:'))\n"
        "except OSError as error: print(error.__class__.__name__)"
    )


def test_a_host_port_is_the_pods_from_everywhere_and_goes_with_it(rootless_sandbox: Sandbox) -> None:
    def from_node(address: str, port: int) -> str:
        return rootless_sandbox.run("python3", "-c", _dial(address, port)).strip()

    async def scenario(cluster: Cluster) -> None:
        ports = [
            {"containerPort": 8080, "hostPort": 18080},
            {"containerPort": 8080, "hostPort": 18081, "hostIP": "172.30.99.11"},
        ]
        container = {
            "command": ["python3", "-c", _SERVER],
            "ports": ports,
            "readinessProbe": {"tcpSocket": {"port": 8080}, "periodSeconds": 1},
        }
        await cluster.create("web", container)
        await cluster.create("client", {"command": ["sleep", "1000"]})
        web, client = await cluster.ready("web"), await cluster.ready("client")

        async def from_pod(name: str, address: str, port: int) -> str:
            return (await exec_output(rootless_sandbox, name, "python3", "-c", _dial(address, port))).strip()

        own, other = web["status"]["podIP"], client["status"]["podIP"]
        assert await from_pod("client", "172.30.99.11", 18080) == other
        assert await from_pod("client", "fd99::11", 18080) == client["status"]["podIPs"][1]["ip"]
        assert await from_pod("client", "172.30.99.11", 18081) == other
        assert await from_pod("client", "fd99::11", 18081) == "ConnectionRefusedError"
        # Somebody else's address is not the node's, whatever the port.
        assert await from_pod("client", own, 18080) == "ConnectionRefusedError"
        hairpin = await from_pod("web", "172.30.99.11", 18080)
        assert hairpin not in (own, "ConnectionRefusedError") and hairpin.startswith("10.244.1.")
        for address in ("172.30.99.11", "127.0.0.1", "fd99::11"):
            assert from_node(address, 18080) not in ("ConnectionRefusedError", "TimeoutError")
        # Whoever empties the node's ruleset breaks it until the next change.
        rootless_sandbox.run("nft", "flush", "ruleset")
        await cluster.create("second", {"command": ["sleep", "1000"], "ports": [{"containerPort": 1, "hostPort": 1}]})
        await cluster.ready("second")
        assert await from_pod("client", "172.30.99.11", 18080) == other
        for name in ("web", "second"):
            await cluster.delete(name)
            await cluster.gone(name)
        assert from_node("172.30.99.11", 18080) == "ConnectionRefusedError"
        assert rootless_sandbox.run("nft", "list", "ruleset") == ""
        await cluster.delete("client")

    drive(rootless_sandbox, scenario)
