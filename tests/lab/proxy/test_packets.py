"""Real packets through the programmed rules: a client outside, two pods, and the node between them."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.lab.proxy import names
from tests.lab.proxy.daemon import NODE_IP, SERVICES, SLICES, Cluster, node, one_slice, service, until

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns, namespace

TALK = str(Path(__file__).with_name("talk.py"))
CLIENT_IP = "172.30.99.101"
PODS = {"p1": "10.244.1.2", "p2": "10.244.1.3"}
GATEWAY = "10.244.1.1"


@dataclass
class Network:
    cluster: Cluster
    places: dict[str, Netns]

    def dial(self, client: str, address: str, port: int = 80, protocol: str = "tcp") -> str:
        return self.places[client].run(sys.executable, TALK, "dial", protocol, address, str(port)).strip()

    def offer(self, name: str, address: str, *pods: str, **spec: object) -> None:
        """A Service with ``pods`` as endpoints (``remote`` is none of this node's), programmed when this returns."""
        one = service(name, address, **spec)
        self.cluster.send("ADDED", SERVICES, one)
        self.endpoints(name, *pods)
        until(lambda: f"{address} . " in self.cluster.rules())

    def endpoints(self, name: str, *pods: str) -> None:
        one = one_slice(name, *(PODS[p] for p in pods if p != "remote"))
        one["ports"] = [{"name": n, "port": 8080, "protocol": p} for n, p in (("http", "TCP"), ("dns", "UDP"))]
        if "remote" in pods:
            one["endpoints"].append({"addresses": ["10.244.2.2"], "nodeName": "n2", "conditions": {}})
        self.cluster.send("MODIFIED", SLICES, one)

    @contextlib.contextmanager
    def flow(self, address: str, port: int) -> Iterator[Iterator[str]]:
        """The ends of the datagrams of one flow, one by one."""
        command = self.places["client"].command(sys.executable, TALK, "flow", address, str(port), "45678")
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                yield (line.strip() for line in process.stdout)
            finally:
                process.kill()


@pytest.fixture
def network(new_netns: type[namespace], tmp_path: Path) -> Iterator[Network]:
    with contextlib.ExitStack() as stack:
        places = {name: stack.enter_context(new_netns()) for name in ("node", "client", *PODS)}
        cluster = Cluster(places["node"], tmp_path)
        stack.callback(cluster.close)
        middle = places["node"]
        middle.run("sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv4/icmp_ratelimit")
        middle.run("ip", "link", "set", "far", "netns", str(places["client"].pid))
        middle.run("ip", "route", "add", "default", "via", CLIENT_IP)  # without one, nothing gets as far as a reject
        middle.run("ip", "link", "add", "cni0", "type", "bridge")
        middle.run("ip", "addr", "add", f"{GATEWAY}/24", "dev", "cni0")
        middle.run("ip", "link", "set", "cni0", "up")
        client = places["client"]
        client.run("ip", "addr", "add", f"{CLIENT_IP}/24", "dev", "far")
        client.run("ip", "link", "set", "far", "up")
        client.run("ip", "route", "add", "default", "via", NODE_IP)
        for name, address in PODS.items():
            middle.run(
                "ip", "link", "add", name, "type", "veth", "peer", "name", "eth0", "netns", str(places[name].pid)
            )
            middle.run("ip", "link", "set", name, "master", "cni0", "up")
            middle.run("bridge", "link", "set", "dev", name, "hairpin", "on")
            places[name].run("ip", "addr", "add", f"{address}/24", "dev", "eth0")
            places[name].run("ip", "link", "set", "eth0", "up")
            places[name].run("ip", "route", "add", "default", "via", GATEWAY)
            server = subprocess.Popen(
                places[name].command(sys.executable, TALK, "serve", name, address, "8080"), stdout=subprocess.PIPE
            )
            stack.callback(server.communicate)
            stack.callback(server.kill)
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
        cluster.send("ADDED", "/api/v1/nodes", node())
        cidr = {"metadata": {"name": "kubernetes"}, "spec": {"cidrs": ["10.96.0.0/16"]}}
        cluster.send("ADDED", "/apis/networking.k8s.io/v1/servicecidrs", cidr)
        cluster.start()
        yield Network(cluster, places)


def test_every_verdict(network: Network) -> None:
    http = {"name": "http", "port": 80, "protocol": "TCP"}
    network.offer("both", "10.96.0.1", "p1", "p2", type="NodePort", ports=[http | {"nodePort": 30080}])
    network.offer("own", "10.96.0.2", "p1")
    network.offer("none", "10.96.0.3")
    network.offer("local", "10.96.0.4", "remote", internalTrafficPolicy="Local")
    vip = service("vip", "10.96.0.5", type="LoadBalancer", ports=[http], loadBalancerSourceRanges=["192.0.2.0/24"])
    vip["status"] = {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}
    network.cluster.send("ADDED", SERVICES, vip)
    network.endpoints("vip", "p1")
    until(lambda: "203.0.113.1 . tcp . 80 : goto external-" in network.cluster.rules())

    seen = {network.dial("client", "10.96.0.1") for _ in range(20)}
    assert seen == {f"p1 {GATEWAY}", f"p2 {GATEWAY}"}  # from outside: masqueraded
    assert network.dial("p2", "10.96.0.2") == f"p1 {PODS['p2']}"  # from a pod: not
    assert network.dial("p1", "10.96.0.2") == f"p1 {GATEWAY}"  # to itself: must be
    assert network.dial("client", NODE_IP, 30080) in seen
    assert network.dial("node", "127.0.0.1", 30080) == "refused"
    assert network.dial("client", "10.96.0.3") == "refused"  # no endpoints
    assert network.dial("client", "10.96.0.1", 81) == "refused"  # no such port
    assert network.dial("client", "10.96.0.4") == "silence"  # no local endpoint
    assert network.dial("client", "10.96.0.99") == "silence"  # nobody's ClusterIP
    assert network.dial("client", "203.0.113.1") == "silence"  # outside the source ranges
    assert names.TABLE in network.cluster.rules()


def test_running_flow_follows_its_service(network: Network) -> None:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP", "nodePort": 30053}]
    network.offer("dns", "10.96.0.1", "p1", type="NodePort", ports=ports)
    for address, port in (("10.96.0.1", 53), (NODE_IP, 30053)):
        network.endpoints("dns", "p1")
        with network.flow(address, port) as ends:
            assert next(e for e in ends if e != "refused") == f"p1 {GATEWAY}"
            network.endpoints("dns", "p2")  # replaced
            assert next(e for e in ends if not e.startswith("p1")) == f"p2 {GATEWAY}"
            network.endpoints("dns")  # scaled to nothing (kubernetes/kubernetes#139628)
            assert next(e for e in ends if not e.startswith("p2")) == "refused"
            network.endpoints("dns", "p1")
            assert next(e for e in ends if e != "refused") == f"p1 {GATEWAY}"


def test_running_flow_ends_with_its_service(network: Network) -> None:
    ports = [{"name": "dns", "port": 53, "protocol": "UDP"}]
    network.offer("dns", "10.96.0.1", "p1", ports=ports)
    with network.flow("10.96.0.1", 53) as ends:
        assert next(e for e in ends if e != "refused") == f"p1 {GATEWAY}"
        network.cluster.send("DELETED", SERVICES, service("dns", "10.96.0.1"))  # kubernetes/kubernetes#141371
        assert next(e for e in ends if not e.startswith("p1")) == "silence"
