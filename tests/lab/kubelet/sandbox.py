"""A node of its own in fresh namespaces: the embedded API server, reachable from the tests, and one node agent."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp

from conformance.lab import syscalls
from conformance.lab.api.certificates import Authority, private_key
from conformance.lab.client import ApiClient, ApiError
from conformance.lab.kubelet.server import CLIENT

Json = dict[str, Any]
NODE_IPS = ("172.30.99.11", "fd99::11")
PATIENCE = 60.0  # longer than any machine, however busy, takes
_QUIET = {"automountServiceAccountToken": False}
PODS = "/api/v1/namespaces/default/pods"

_BOOT = """
set -e
ip link set lo up
ip link add eth0 type bridge
ip link set eth0 up
ip addr add 172.30.99.11/24 dev eth0
ip addr add fd99::11/64 dev eth0 nodad
echo 1 > /proc/sys/net/ipv4/ip_forward
echo 1 > /proc/sys/net/ipv6/conf/all/forwarding
mkdir -p /run/netns 2>/dev/null || mount -t tmpfs none /run
mkdir -p /run/netns
mount -t tmpfs none /run/netns
"""


class Sandbox:
    """The API server and the agent as processes in one sandbox of namespaces."""

    def __init__(self, folder: Path, *, rootless: bool) -> None:
        self.folder = folder
        self.state = folder / "state"
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._certificates()
        unshare = ["unshare", "-nmpf", "--mount-proc", "--kill-child", *(["-Ur"] if rootless else [])]
        self._log = (folder / "log").open("wb")
        self._init = subprocess.Popen(
            [*unshare, "sh", "-c", _BOOT + "echo up; exec sleep 100000"],
            stdout=subprocess.PIPE,
            stderr=self._log,
        )
        assert self._init.stdout is not None
        assert self._init.stdout.readline() == b"up\n", (folder / "log").read_text()
        children = Path(f"/proc/{self._init.pid}/task/{self._init.pid}/children").read_text().split()
        self.pid = int(children[0])
        self._rootless = rootless
        self.api = self._start_api()
        self.agent = self.start_agent()

    def inside(self, *command: str) -> list[str]:
        """The command line that runs ``command`` in the sandbox."""
        user = ["-U", "--preserve-credentials"] if self._rootless else []
        return ["nsenter", "-t", str(self.pid), "-n", "-m", "-p", *user, *command]

    def run(self, *command: str) -> str:
        """The output of a command in the sandbox."""
        return subprocess.run(self.inside(*command), check=True, capture_output=True, text=True).stdout

    def start_agent(self, state: str = "state") -> subprocess.Popen[bytes]:
        """Start the node agent."""
        command = f"""--node node-a --zone zone-a --kubeconfig {self.folder}/kubelet.conf --state {self.folder / state}
            --tls-cert {self.folder}/node.crt --tls-key {self.folder}/node.key --client-ca {self.folder}/ca.crt
            --node-ip {",".join(NODE_IPS)} --pod-cidrs 10.244.1.0/24,fd44:1::/64
            --cluster-dns 10.96.0.10,fd00:96::a"""
        return self._python("conformance.lab.kubelet", *command.split())

    def stop_api(self) -> None:
        """End the API server; its port stays ours."""
        end(self.api)

    def start_api(self) -> None:
        """Start an empty API server on the same port."""
        self.api = self._start_api()

    def close(self) -> None:
        """End everything."""
        for process in (self.agent, self.api):
            end(process)
        self._init.kill()
        self._init.wait()
        self._listener.close()
        self._log.close()

    def _start_api(self) -> subprocess.Popen[bytes]:
        folder, fd = self.folder, self._listener.fileno()
        command = f"""--fd {fd} --listen {NODE_IPS[0]}:6443 --advertise {NODE_IPS[0]}:6443
            --tls-cert {folder}/api.crt --tls-key {folder}/api.key --client-ca {folder}/ca.crt
            --sa-key {folder}/sa.key --kubelet-client-cert {folder}/client.crt
            --kubelet-client-key {folder}/client.key --kubelet-ca {folder}/ca.crt"""
        return self._python("conformance.lab.api", *command.split(), fds=(fd,))

    def _python(self, module: str, *arguments: str, fds: tuple[int, ...] = ()) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.inside(sys.executable, "-m", module, *arguments),
            pass_fds=fds,
            stdout=self._log,
            stderr=self._log,
            cwd=Path(__file__).parents[3],
        )

    def _certificates(self) -> None:
        authority = Authority(self.folder)
        authority.issue("api", "kube-apiserver", hosts=("127.0.0.1", *NODE_IPS))
        authority.issue("node", "node-a", hosts=("node-a", *NODE_IPS))
        authority.issue("client", CLIENT)
        authority.issue("stranger", "somebody-else")
        admin = authority.issue("admin", "kubernetes-admin", ("system:masters",))
        kubelet = authority.issue("kubelet", "system:node:node-a", ("system:nodes",))
        authority.kubeconfig(self.folder / "admin.conf", f"https://127.0.0.1:{self.port}", *admin)
        authority.kubeconfig(self.folder / "kubelet.conf", f"https://{NODE_IPS[0]}:6443", *kubelet)
        (self.folder / "sa.key").write_bytes(private_key())


def end(process: subprocess.Popen[bytes], number: signal.Signals = signal.SIGTERM) -> None:
    """Signal and wait; nsenter passes no signals on, so it is its child that gets it.

    Half the grace period of a pod is enough: it is not granted to pods that only their agent leaves.
    """
    if process.poll() is None:
        for child in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split():
            os.kill(int(child), number)
    process.wait(15)


class Cluster:
    """What a test does with the API: pods of the default namespace."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.client = ApiClient.from_kubeconfig(sandbox.folder / "admin.conf")

    async def create(self, name: str, container: Json | None = None, **spec: object) -> Json:
        """Create a pod on the node: of one ``container`` named c, or of those in ``spec``."""
        containers = [{"name": "c", "image": "any", **container}] if container is not None else spec.pop("containers")
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {"app": name}},
            "spec": {
                "nodeName": "node-a",
                "terminationGracePeriodSeconds": 5,
                **_QUIET,
                "containers": containers,
                **spec,
            },
        }
        return await self.client.create(PODS, body)

    async def until(self, name: str, condition: Callable[[Json], bool], seconds: float = PATIENCE) -> Json:
        """The pod's object once ``condition`` holds."""
        deadline = time.monotonic() + seconds
        last: Json = {}
        while time.monotonic() < deadline:
            last = await self.client.get(f"{PODS}/{name}")
            if condition(last):
                return last
            await asyncio.sleep(0.02)
        raise AssertionError(f"{name} never became what was expected: {last.get('status')}")

    async def ready(self, name: str) -> Json:
        """The pod once it is Ready."""
        return await self.until(name, lambda pod: condition(pod, "Ready") == "True")

    async def gone(self, name: str, seconds: float = PATIENCE) -> None:
        """Wait until the pod's object does not exist."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                await self.client.get(f"{PODS}/{name}")
            except ApiError as error:
                if error.status == 404:
                    return
            await asyncio.sleep(0.02)
        raise AssertionError(f"{name} still exists")

    async def delete(self, name: str, grace: int | None = None) -> None:
        """Delete a pod."""
        body = {} if grace is None else {"gracePeriodSeconds": grace}
        await self.client.delete(f"{PODS}/{name}", body={"kind": "DeleteOptions", "apiVersion": "v1", **body})

    async def log(self, name: str, **params: str) -> str:
        """The pod's log, through the API server."""
        session = self.client
        async with session._open("GET", f"{PODS}/{name}/log", params, None, seconds=20) as answer:
            return (await answer.read()).decode()


def condition(pod: Json, kind: str) -> str:
    """A condition's status."""
    for entry in pod.get("status", {}).get("conditions") or ():
        if entry["type"] == kind:
            return str(entry["status"])
    return ""


def drive(sandbox: Sandbox, scenario: Callable[[Cluster], Awaitable[None]]) -> None:
    """Run ``scenario`` against the sandbox once its node is registered."""

    async def run() -> None:
        cluster = Cluster(sandbox)
        async with cluster.client:
            deadline = time.monotonic() + 20
            while time.monotonic() < deadline:
                try:
                    await cluster.client.get("/api/v1/nodes/node-a")
                    await cluster.client.get("/api/v1/namespaces/default")
                    break
                except ApiError:
                    await asyncio.sleep(0.05)
            # No controllers run here: nobody else makes it.
            account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
            with contextlib.suppress(ApiError):
                await cluster.client.create("/api/v1/namespaces/default/serviceaccounts", account)
            await scenario(cluster)

    asyncio.run(run())


def kubelet_session(sandbox: Sandbox, certificate: str = "client") -> aiohttp.ClientSession:
    """A session that dials from within the sandbox's network; ``certificate`` empty shows none."""
    context = ssl.create_default_context(cafile=str(sandbox.folder / "ca.crt"))
    if certificate:
        context.load_cert_chain(sandbox.folder / f"{certificate}.crt", sandbox.folder / f"{certificate}.key")

    def made_inside(address: aiohttp.AddrInfoType) -> socket.socket:
        family, kind, protocol, _, _ = address
        made: list[socket.socket] = []

        def make() -> None:
            with Path(f"/proc/{sandbox.pid}/ns/net").open() as file:
                syscalls.setns(file.fileno(), syscalls.CLONE_NEWNET)
            made.append(socket.socket(family, kind, protocol))

        thread = threading.Thread(target=make)
        thread.start()
        thread.join()
        made[0].setblocking(False)
        return made[0]

    return aiohttp.ClientSession(
        f"https://{NODE_IPS[0]}:10250", connector=aiohttp.TCPConnector(ssl=context, socket_factory=made_inside)
    )


async def exec_output(sandbox: Sandbox, pod: str, *command: str) -> str:
    """What a command in container c of ``pod`` prints on its standard output."""
    params = [*(("command", word) for word in command), ("output", "1")]
    output = b""
    async with (
        kubelet_session(sandbox) as session,
        session.ws_connect(
            f"/exec/default/{pod}/c", params=params, protocols=["v5.channel.k8s.io"], max_msg_size=0
        ) as stream,
    ):
        async for message in stream:
            if message.data[0] == 1:
                output += message.data[1:]
    return output.decode()


async def until_no_links(sandbox: Sandbox) -> None:
    """Wait until the kernel has removed the links of the namespaces that are gone, which it does in the background."""
    deadline = time.monotonic() + 10
    while "veth" in sandbox.run("ip", "link"):
        assert time.monotonic() < deadline
        await asyncio.sleep(0.1)
