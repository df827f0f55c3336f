"""What a pod finds in its root: volumes, environment, name resolution, privileges; rooted and rootless."""

from __future__ import annotations

import asyncio
import base64
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from tests.lab.kubelet.sandbox import Cluster, Sandbox, drive, exec_output

Json = dict[str, Any]
CORE = "/api/v1/namespaces/default"


@pytest.fixture(scope="module", params=["as given", "rootless"])
def node(request: pytest.FixtureRequest) -> Sandbox:
    """Every test here runs with and without a user namespace."""
    name = "rootless_sandbox" if request.param == "rootless" else "sandbox"
    found: Sandbox = request.getfixturevalue(name)
    return found


async def sh(cluster: Cluster, pod: str, script: str) -> str:
    return await exec_output(cluster.sandbox, pod, "sh", "-c", script)


def mounted(*pairs: tuple[Json, str]) -> Json:
    """A pod spec with each volume mounted at its path."""
    return {
        "volumes": [{"name": f"v{i}", **volume} for i, (volume, _) in enumerate(pairs)],
        "containers": [
            {
                "name": "c",
                "image": "any",
                "command": ["sleep", "1000"],
                "volumeMounts": [{"name": f"v{i}", "mountPath": path} for i, (_, path) in enumerate(pairs)],
            }
        ],
    }


def test_config_maps_and_secrets_are_files_and_follow_updates(node: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        client = cluster.client
        config: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "conf"}}
        secret: Json = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key"}}
        await cluster.create(
            "files",
            None,
            **mounted(
                ({"configMap": {"name": "conf"}}, "/agent"),
                ({"secret": {"secretName": "key", "defaultMode": 0o400}}, "/etc/deep/key"),
                ({"configMap": {"name": "absent", "optional": True}}, "/usr/local/absent"),
                ({"configMap": {"name": "conf", "items": [{"key": "a", "path": "x/y"}]}}, "/agent/inner"),
            ),
        )
        pod = await cluster.until("files", lambda pod: pod["status"].get("podIP"))
        assert pod["status"]["phase"] == "Pending"  # until its ConfigMap exists
        body = {**config, "data": {"a": "1"}, "binaryData": {"b": base64.b64encode(b"\xff").decode()}}
        await client.create(f"{CORE}/configmaps", body)
        await client.create(f"{CORE}/secrets", {**secret, "data": {"s": base64.b64encode(b"hidden").decode()}})
        await cluster.ready("files")
        out = await sh(cluster, "files", "cat /agent/a /etc/deep/key/s /agent/inner/x/y; od -An -tx1 /agent/b")
        assert out.split() == ["1hidden1", "ff"]
        assert await sh(cluster, "files", "ls -A /usr/local/absent | grep -v '^[.][.]'") == ""
        assert await sh(cluster, "files", "stat -Lc %a /etc/deep/key/s") == "400\n"
        await client.patch(f"{CORE}/configmaps/conf", {"data": {"a": "2", "c": "3"}})
        began = time.monotonic()
        while await sh(cluster, "files", "cat /agent/a /agent/c /agent/inner/x/y") != "232":
            assert time.monotonic() - began < 3
            await asyncio.sleep(0.05)
        for kind, name in (("configmaps", "conf"), ("secrets", "key")):
            await client.delete(f"{CORE}/{kind}/{name}")
        await cluster.delete("files", 0)
        await cluster.gone("files")

    drive(node, scenario)


def test_projected_token_downward_api_and_sub_paths(node: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        client = cluster.client
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "robot"}}
        await client.create(f"{CORE}/serviceaccounts", account)
        sources = [
            {"serviceAccountToken": {"path": "token", "expirationSeconds": 3600}},
            {"downwardAPI": {"items": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        ]
        spec = mounted(
            ({"projected": {"sources": sources}}, "/var/run/secrets/kubernetes.io/serviceaccount"),
            ({"emptyDir": {}}, "/data"),
            ({"hostPath": {"path": "/proc/self/mountinfo", "type": ""}}, "/mountinfo"),
        )
        own = spec["containers"][0]
        own["volumeMounts"].append({"name": "v1", "mountPath": "/again", "subPath": "deep/er"})
        own["volumeMounts"].append({"name": "v1", "mountPath": "/sealed", "readOnly": True})
        await cluster.create("tokens", None, serviceAccountName="robot", automountServiceAccountToken=False, **spec)
        await cluster.ready("tokens")
        folder = "/var/run/secrets/kubernetes.io/serviceaccount"
        token = await sh(cluster, "tokens", f"cat {folder}/token")
        claims = json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))
        assert claims["sub"] == "system:serviceaccount:default:robot"
        assert claims["kubernetes.io"]["pod"]["name"] == "tokens"
        assert await sh(cluster, "tokens", f"cat {folder}/labels") == 'app="tokens"'
        await client.patch(f"{CORE}/pods/tokens", {"metadata": {"labels": {"new": "1"}}})
        began = time.monotonic()
        while 'new="1"' not in await sh(cluster, "tokens", f"cat {folder}/labels"):
            assert time.monotonic() - began < 3
            await asyncio.sleep(0.05)
        assert await sh(cluster, "tokens", "echo hi > /again/file; cat /data/deep/er/file") == "hi\n"
        assert "Read-only" in await sh(cluster, "tokens", "touch /sealed/x 2>&1; true")
        assert await sh(cluster, "tokens", "grep -q . /mountinfo && echo yes") == "yes\n"
        await cluster.delete("tokens", 0)
        await client.delete(f"{CORE}/serviceaccounts/robot")

    drive(node, scenario)


def test_environment_names_and_interpreter(node: Sandbox) -> None:
    async def scenario(cluster: Cluster) -> None:
        container = {
            "command": ["sh", "-c", "echo $(GREETING) $0; exec sleep 1000", "$(POD)"],
            "env": [
                {"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
                {"name": "IPS", "valueFrom": {"fieldRef": {"fieldPath": "status.podIPs"}}},
                {"name": "HOST", "valueFrom": {"fieldRef": {"fieldPath": "status.hostIP"}}},
                {"name": "GREETING", "value": "hello-$(POD)"},
            ],
            "workingDir": "/work/dir",
        }
        await cluster.create(
            "env",
            container,
            hostname="other",
            hostAliases=[{"ip": "192.0.2.1", "hostnames": ["far", "away"]}],
            dnsConfig={"options": [{"name": "timeout", "value": "1"}]},
        )
        pod = await cluster.ready("env")
        assert await cluster.log("env") == "hello-env env\n"
        ips = ",".join(entry["ip"] for entry in pod["status"]["podIPs"])
        assert await sh(cluster, "env", "echo $IPS $HOST; pwd") == f"{ips} 172.30.99.11\n/work/dir\n"
        resolv = await sh(cluster, "env", "cat /etc/resolv.conf")
        assert resolv.splitlines() == [
            "nameserver 10.96.0.10",
            "nameserver fd00:96::a",
            "search default.svc.cluster.local svc.cluster.local cluster.local",
            "options ndots:5 timeout:1",
        ]
        assert "192.0.2.1\tfar\taway" in await sh(cluster, "env", "cat /etc/hosts")
        named = await sh(cluster, "env", "hostname; getent hosts other | cut -d' ' -f1")
        assert named == f"other\n{ips.split(',')[1]}\n"
        where = "import sys, conformance.lab.client; print(sys.executable)"
        assert (await sh(cluster, "env", f"python3 -c '{where}'")).startswith("/")
        assert await sh(cluster, "env", "echo $KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT") == "10.96.0.1:443\n"
        with tempfile.NamedTemporaryFile() as foreign:
            listing = await sh(cluster, "env", "ls -A /tmp /run /home")
        # The checkout itself may lie in one of them: it must stay visible.
        assert Path(foreign.name).name not in listing
        assert "netns" not in listing
        await cluster.delete("env", 0)

    drive(node, scenario)


def test_capabilities_are_a_runtimes_default_plus_and_minus(node: Sandbox) -> None:
    raw = "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)' 2>&1; echo $?"

    async def scenario(cluster: Cluster) -> None:
        await cluster.create("plain", {"command": ["sleep", "1000"]})
        added = {"capabilities": {"add": ["NET_RAW"]}}
        await cluster.create("raw", {"command": ["sleep", "1000"], "securityContext": added})
        await cluster.create(
            "net",
            {"command": ["sleep", "1000"], "securityContext": {"privileged": True}},
            securityContext={"sysctls": [{"name": "net.ipv4.ip_local_port_range", "value": "20000 20100"}]},
        )
        for name in ("plain", "raw", "net"):
            await cluster.ready(name)
        assert (await sh(cluster, "plain", raw)).endswith("1\n")
        assert await sh(cluster, "raw", raw) == "0\n"
        assert (await sh(cluster, "plain", "ip link set lo down 2>&1; true")).strip()
        assert await sh(cluster, "net", "ip link add br0 type bridge && nft add table inet t && echo fine") == "fine\n"
        assert (await sh(cluster, "net", "cat /proc/sys/net/ipv4/ip_local_port_range")).split() == ["20000", "20100"]
        assert (await sh(cluster, "plain", "cat /proc/sys/net/ipv4/icmp_ratelimit")).strip() == "0"
        for name in ("plain", "raw", "net"):
            await cluster.delete(name, 0)

    drive(node, scenario)


def test_a_pod_that_lets_every_group_send_echo_requests_may_send_them(node: Sandbox) -> None:
    ping = "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)'; echo $?"
    everybody = {"sysctls": [{"name": "net.ipv4.ping_group_range", "value": "0 2147483647"}]}

    async def scenario(cluster: Cluster) -> None:
        await cluster.create("allowed", {"command": ["sleep", "1000"]}, securityContext=everybody)
        await cluster.create("plain", {"command": ["sleep", "1000"]})
        for name in ("allowed", "plain"):
            await cluster.ready(name)
        assert await sh(cluster, "allowed", ping) == "0\n"
        assert (await sh(cluster, "plain", f"{ping} 2>&1")).endswith("1\n")
        for name in ("allowed", "plain"):
            await cluster.delete(name, 0)

    drive(node, scenario)


def test_pods_reach_each_other_the_node_and_themselves_through_the_bridge(node: Sandbox) -> None:
    server = "python3 -m http.server --bind :: 8080 >/dev/null 2>&1"
    dial = (
        "import socket,sys\nfor host in sys.argv[1:]: print(socket.create_connection((host, 8080), 3).getsockname()[0])"
    )

    async def scenario(cluster: Cluster) -> None:
        tcp = {"readinessProbe": {"tcpSocket": {"port": 8080}}}
        await cluster.create("one", {"command": ["sh", "-c", f"exec {server}"], **tcp})
        await cluster.create("two", {"command": ["sh", "-c", f"exec {server}"], **tcp})
        await cluster.create("host", {"command": ["sleep", "1000"]}, hostNetwork=True)
        one, two, host = await cluster.ready("one"), await cluster.ready("two"), await cluster.ready("host")
        assert [entry["ip"] for entry in host["status"]["podIPs"]] == ["172.30.99.11", "fd99::11"]
        theirs = [entry["ip"] for entry in two["status"]["podIPs"]]
        own = [entry["ip"] for entry in one["status"]["podIPs"]]
        found = await exec_output(node, "one", "python3", "-c", dial, *theirs)
        assert found.split() == own
        assert (await exec_output(node, "host", "python3", "-c", dial, *theirs)).split() == ["10.244.1.1", "fd44:1::1"]
        assert "hairpin on" in node.run("bridge", "-d", "link", "show")
        for name in ("one", "two", "host"):
            await cluster.delete(name, 0)
            await cluster.gone(name)

    drive(node, scenario)
