"""exec and log: through the API server to a kubelet and back, with the clients that people have."""

from __future__ import annotations

import asyncio
import json
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator

import aiohttp
import pytest
from kubernetes import client, config
from kubernetes.stream import stream

from conformance.lab.api.certificates import Authority
from tests.lab.api.apiserver import Server, running
from tests.lab.api.kubelet_double import CLOSE, PROTOCOLS, STATUS, STDIN, STDOUT, Kubelet, listening

POD = "/api/v1/namespaces/default/pods/p"
LOST = "/api/v1/namespaces/default/pods/lost"
CONTAINERS = [{"name": "c", "image": "x"}]


class World:
    """A server with a pod on the kubelet's node, and one on a node that is not there."""

    def __init__(self, server: Server, kubelet: Kubelet) -> None:
        self.server = server
        self.kubelet = kubelet

    def kubectl(self, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        if shutil.which("kubectl") is None:
            pytest.skip("kubectl is not installed")
        command = ["kubectl", f"--kubeconfig={self.server.kubeconfig}", *arguments]
        return subprocess.run(command, input=given, capture_output=True, timeout=60, check=False)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("kubelets")
    kubelets = Authority(folder)
    certificate, key = kubelets.issue("client", "kube-apiserver-kubelet-client", ("system:masters",))
    with listening(kubelets) as kubelet:
        options = ["--kubelet-client-cert", str(certificate), "--kubelet-client-key", str(key)]
        options += ["--kubelet-ca", str(kubelets.path), "--kubelet-port", str(kubelet.port)]
        with running(tmp_path_factory.mktemp("api"), *options) as server:
            for node, address in (("n", "127.0.0.1"), ("off", "127.0.0.3")):
                status = {"addresses": [{"type": "InternalIP", "address": address}]}
                server.made("/api/v1/nodes", {"metadata": {"name": node}, "status": status})
            for pod, node in (("p", "n"), ("lost", "off")):
                spec = {"nodeName": node, "containers": [*CONTAINERS, {"name": "gone", "image": "x"}]}
                body = {"metadata": {"name": pod, "annotations": {"kubectl.kubernetes.io/default-container": "c"}}}
                server.made("/api/v1/namespaces/default/pods", {**body, "spec": spec})
            server.made(
                "/api/v1/namespaces/default/pods", {"metadata": {"name": "new"}, "spec": {"containers": CONTAINERS}}
            )
            yield World(server, kubelet)


def test_kubectl_exec_pipes_standard_input(world: World) -> None:
    done = world.kubectl("exec", "-i", "p", "-c", "c", "--", "cat", "-n", given=b"hello\nworld\n")
    assert (done.returncode, done.stdout) == (0, b"hello\nworld\n"), done.stderr
    asked = world.kubelet.asked[-1]
    assert asked.startswith("/exec/default/p/c?")
    assert "command=cat&command=-n" in asked and "input=1" in asked and "output=1" in asked and "tty" not in asked
    assert world.kubelet.clients[-1] == "kube-apiserver-kubelet-client"


def test_the_python_client_execs(world: World) -> None:
    config.load_kube_config(str(world.server.kubeconfig))  # type: ignore[no-untyped-call]
    api = client.CoreV1Api()
    open_stream = stream(
        api.connect_get_namespaced_pod_exec,
        "p",
        "default",
        container="c",
        command=["agent"],
        stdin=True,
        stdout=True,
        stderr=True,
        tty=False,
        _preload_content=False,
    )
    open_stream.write_stdin('{"dial": 1}\n')
    assert open_stream.readline_stdout(timeout=20) == '{"dial": 1}'
    open_stream.write_stdin("exit\n")
    open_stream.run_forever(timeout=20)
    assert open_stream.returncode == 0


def test_many_lines_go_through_one_stream(world: World) -> None:
    """Half-close of v5, close code and every byte survive; thousands of lines take a moment, not minutes."""

    async def run() -> tuple[list[bytes], int | None, str | None]:
        context = ssl.create_default_context(cafile=str(world.server.state / "ca.crt"))
        context.load_cert_chain(world.server.state / "admin.crt", world.server.state / "admin.key")
        url = f"https://127.0.0.1:{world.server.port}{POD}/exec?command=x&stdin=true&stdout=true&container=c"
        async with aiohttp.ClientSession() as session:
            far = await session.ws_connect(url, ssl=context, protocols=PROTOCOLS)
            lines = [json.dumps({"n": index, "pad": "x" * 100}).encode() + b"\n" for index in range(3000)]
            sending = asyncio.ensure_future(_send(far, lines))
            got: list[bytes] = []
            async for message in far:
                got.append(message.data)
            await sending
            return got, far.close_code, far.protocol

    async def _send(far: aiohttp.ClientWebSocketResponse, lines: list[bytes]) -> None:
        for line in lines:
            await far.send_bytes(bytes([STDIN]) + line)
        await far.send_bytes(bytes([CLOSE, STDIN]))

    began = time.monotonic()
    got, code, protocol = asyncio.run(run())
    assert (code, protocol) == (1000, "v5.channel.k8s.io")
    assert len(got) == 3001
    assert [json.loads(each[1:])["n"] for each in got[:-1]] == list(range(3000))
    assert {each[0] for each in got[:-1]} == {STDOUT} and got[-1][0] == STATUS
    assert time.monotonic() - began < 30


def test_a_refusal_carries_the_kubelets_words(world: World) -> None:
    done = world.kubectl("exec", "p", "-c", "gone", "--", "x")
    assert done.returncode == 1
    assert b'container not found ("gone")' in done.stderr


def test_a_kubelet_that_is_not_there_is_an_error_at_once(world: World) -> None:
    began = time.monotonic()
    headers = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    headers |= {"Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==", "Sec-WebSocket-Protocol": "v4.channel.k8s.io"}
    answer = world.server.ask("GET", f"{LOST}/exec?command=x&container=c", headers=headers)
    assert answer.code == 500
    assert answer.message.startswith("error dialing backend: dial tcp 127.0.0.3:")
    assert world.server.get(f"{LOST}/log", container="c").code == 500
    assert time.monotonic() - began < 10


def test_a_stream_needs_an_upgrade_and_a_known_container(world: World) -> None:
    assert "Upgrade request required" in world.server.get(f"{POD}/exec", container="c", command="x").message
    unnamed = world.server.get(f"{POD}/log")
    assert unnamed.message == "a container name must be specified for pod p, choose one of: [c gone]"
    assert world.server.get(f"{POD}/log", container="z").message == "container z is not valid for pod p"
    assert world.server.get("/api/v1/namespaces/default/pods/new/log").body == {"text": ""}


def test_logs_pass_their_options_on(world: World) -> None:
    done = world.kubectl("logs", "p", "-c", "c", "--tail=5", "--timestamps")
    assert (done.returncode, done.stdout) == (0, b"one\ntwo\n"), done.stderr
    assert world.kubelet.asked[-1] == "/containerLogs/default/p/c?tailLines=5&timestamps=true"
    refused = world.server.get(f"{POD}/log", container="c", previous="true")
    assert (refused.code, refused.message) == (400, 'previous terminated container "c" in pod "p" not found')


def test_a_followed_log_arrives_as_it_is_written(world: World) -> None:
    connection = world.server.connect()
    connection.request("GET", f"{POD}/log?container=c&follow=true")
    response = connection.getresponse()
    assert response.readline() == b"one\n"
    world.kubelet.more.set()
    assert response.read() == b"two\n"
    connection.close()


def test_exec_needs_the_right_to_create(world: World) -> None:
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    rule = {"apiGroups": [""], "resources": ["pods", "pods/exec"], "verbs": ["get"]}
    world.server.made(f"{rbac}/roles", {"metadata": {"name": "reader"}, "rules": [rule]})
    binding = {"roleRef": {"kind": "Role", "name": "reader"}, "subjects": [{"kind": "User", "name": "reader"}]}
    world.server.made(f"{rbac}/rolebindings", {"metadata": {"name": "reader"}, **binding})
    done = world.kubectl("exec", "p", "-c", "c", "--as=reader", "--", "x")
    assert done.returncode == 1
    told = b'User "reader" cannot create resource "pods/exec" in API group "" in the namespace "default"'
    assert b'pods "p" is forbidden: ' + told in done.stderr
