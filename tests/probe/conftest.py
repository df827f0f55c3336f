"""Three network namespaces in a row: client, router (with nft rules), server; both families; gone with one process."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from conformance.cluster.command import CommandStream, Elsewhere
from conformance.probe.bundle import agent_source

SETUP = """
set -e
mount -t tmpfs tmpfs /run && mkdir /run/netns
for ns in c r s; do
  ip netns add $ns; ip -n $ns link set lo up
  ip netns exec $ns sysctl -qw net.ipv6.conf.default.accept_dad=0 # link-local addresses are there at once, too
done
ip -n c link add eth0 type veth peer name c0 netns r
ip -n s link add eth0 type veth peer name s0 netns r
ip -n c addr add 10.91.1.2/24 dev eth0; ip -n c addr add fd91:1::2/64 dev eth0 nodad
ip -n s addr add 10.91.2.2/24 dev eth0; ip -n s addr add fd91:2::2/64 dev eth0 nodad
ip -n s addr add 10.91.2.3/24 dev eth0; ip -n s addr add fd91:2::3/64 dev eth0 nodad
ip -n r addr add 10.91.1.1/24 dev c0; ip -n r addr add fd91:1::1/64 dev c0 nodad
ip -n r addr add 10.91.2.1/24 dev s0; ip -n r addr add fd91:2::1/64 dev s0 nodad
ip -n c link set eth0 up; ip -n s link set eth0 up; ip -n r link set c0 up; ip -n r link set s0 up
ip -n c route add default via 10.91.1.1; ip -n c route add default via fd91:1::1
ip -n s route add default via 10.91.2.1; ip -n s route add default via fd91:2::1
ip -n c route add unreachable 10.91.9.0/24; ip -n c route add unreachable fd91:9::/64
ip -n c route add blackhole 10.91.8.0/24; ip -n c route add blackhole fd91:8::/64
for ns in c r s; do
  ip netns exec $ns sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.icmp_msgs_per_sec=1000000 \
    net.ipv4.icmp_msgs_burst=100000 net.ipv4.ping_group_range='0 0' || true
done
ip netns exec r sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
ip netns exec r nft -f - <<RULES
table inet wall {
  chain way {
    type filter hook forward priority 0;
    meta l4proto { tcp, udp } th dport 81 reject with icmpx type port-unreachable
    meta l4proto { tcp, udp } th dport 82 drop
    meta l4proto { tcp, udp } th dport 83 reject with icmpx type admin-prohibited
    tcp dport 84 reject with tcp reset
  }
}
RULES
ip netns exec c nft -f - <<RULES
table inet own {
  chain out {
    type filter hook output priority 0;
    meta l4proto { tcp, udp } th dport 85 reject with icmpx type port-unreachable
    meta l4proto { tcp, udp } th dport 86 drop
  }
}
RULES
ip netns exec c python3 -c '
import socket
for ip in ("10.91.2.2", "fd91:2::2"):  # the first neighbour solicitations are lost until the links have settled
    for attempt in range(50):
        try:
            socket.create_connection((ip, 99), 0.2)
        except ConnectionRefusedError:
            break
        except OSError:
            continue
'
echo up
exec sleep infinity
"""


class World:
    """The namespaces c, r and s; commands run in them through nsenter."""

    def __init__(self, stack: ExitStack) -> None:
        unshare = ["unshare", "--net", "--mount", "--propagation", "private"]
        if os.geteuid() != 0:
            unshare[1:1] = ["--user", "--map-root-user"]
        self.holder = subprocess.Popen([*unshare, "sh", "-c", SETUP], stdout=subprocess.PIPE, text=True)
        stack.callback(self.holder.wait)
        stack.callback(self.holder.kill)
        assert self.holder.stdout is not None
        stack.callback(self.holder.stdout.close)
        assert self.holder.stdout.readline() == "up\n"
        user = ["--user", "--preserve-credentials"] if os.geteuid() != 0 else []
        self._enter = ("nsenter", "-t", str(self.holder.pid), *user, "--net", "--mount")

    def prefix(self, namespace: str) -> tuple[str, ...]:
        return (*self._enter, "ip", "netns", "exec", namespace)

    def run(self, namespace: str, *argv: str) -> str:
        return subprocess.run([*self.prefix(namespace), *argv], check=True, capture_output=True, text=True).stdout

    def dialler(self, namespace: str = "c", *arguments: str) -> CommandStream:
        return CommandStream.python(Elsewhere(namespace, self.prefix(namespace)), agent_source(), "dial", *arguments)

    def serve(self, stack: ExitStack, namespace: str, *arguments: str) -> subprocess.Popen[bytes]:
        """An agent that serves; ready when this returns."""
        path = f"/run/agent-{time.monotonic_ns()}"
        store = ["sh", "-c", f"cat > {path}.py"]
        subprocess.run([*self._enter, *store], input=agent_source().encode(), check=True, timeout=10)
        command = ["python3", "-u", f"{path}.py", "serve", "--ready-file", f"{path}.ready", *arguments]
        process = subprocess.Popen([*self.prefix(namespace), *command])
        stack.callback(process.wait)
        stack.callback(process.kill)
        awaited = f"for i in $(seq 500); do [ -e {path}.ready ] && exit 0; sleep 0.01; done; exit 1"
        subprocess.run([*self._enter, "sh", "-c", awaited], check=True)
        return process


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    with ExitStack() as stack:
        yield World(stack)


@pytest.fixture(scope="session")
def web(world: World) -> Iterator[str]:
    """An agent that serves as ``web`` on port 8080 of s (10.91.2.2 and .3, fd91:2::2 and ::3)."""
    with ExitStack() as stack:
        world.serve(stack, "s", "--port", "8080", "--name", "web")
        yield "web"


@pytest.fixture
def dialler(world: World, web: str) -> Iterator[CommandStream]:
    """An agent that dials from c, with ``web`` to answer it."""
    stream = world.dialler()
    yield stream
    stream.close()


@pytest.fixture(scope="module")
def own_world() -> Iterator[World]:
    """Namespaces like ``world``'s, for a test module that changes them."""
    with ExitStack() as stack:
        yield World(stack)
