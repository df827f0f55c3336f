"""A node's namespace with an API in it, and the proxy as a process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns

ROOT = Path(__file__).parents[3]
SERVICES, NODES = "/api/v1/services", "/api/v1/nodes"
SLICES, CIDRS = "/apis/discovery.k8s.io/v1/endpointslices", "/apis/networking.k8s.io/v1/servicecidrs"
NODE_IP, NODE_IP6 = "172.30.99.11", "fd99::11"


def until(holds: Callable[[], bool], seconds: float = 60.0) -> None:
    """Wait until it holds; fails when it does not in time."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.05)


class Cluster:
    """A node's namespace with an API in it, and the proxy when started."""

    def __init__(self, netns: Netns, folder: Path, mode: str = "nftables") -> None:
        self.netns = netns
        self._folder = folder
        netns.run("ip", "link", "add", "eth0", "type", "veth", "peer", "name", "far")
        netns.run("ip", "addr", "add", f"{NODE_IP}/24", "dev", "eth0")
        netns.run("ip", "addr", "add", f"{NODE_IP6}/64", "dev", "eth0", "nodad")
        for link in ("eth0", "far"):
            netns.run("ip", "link", "set", link, "up")
        self.api = self._python(str(Path(__file__).with_name("api_double.py")))
        assert self.api.stdout is not None
        assert self.api.stdout.readline() == "ready\n"
        self.kubeconfig = folder / "kubeconfig"
        self.kubeconfig.write_text(
            yaml.safe_dump(
                {
                    "current-context": "x",
                    "contexts": [{"name": "x", "context": {"cluster": "x"}}],
                    "clusters": [{"name": "x", "cluster": {"server": "http://127.0.0.1:6443"}}],
                }
            )
        )
        self.config = folder / "config.conf"
        self.config.write_text(
            f"kind: KubeProxyConfiguration\nmode: {mode}\nclusterCIDR: 10.244.0.0/16,fd44::/16\n"
            f"{mode}: {{minSyncPeriod: 10ms, syncPeriod: 1s}}\n"
        )
        self.proxy: subprocess.Popen[str] | None = None

    def start(self, path: Path | None = None) -> None:
        """Start the proxy, with the commands in ``path`` before all others."""
        found = f"{path}:{os.environ['PATH']}" if path else os.environ["PATH"]
        self.proxy = self._python(*self.command(), PATH=found)

    def command(self, *more: str) -> list[str]:
        files = ["--kubeconfig", str(self.kubeconfig), "--config", str(self.config)]
        return ["-m", "conformance.lab.proxy", "--node", "n1", *files, *more]

    def stop(self) -> int:
        assert self.proxy is not None
        self.proxy.terminate()
        self.proxy.communicate(timeout=60)
        return self.proxy.returncode

    def send(self, kind: str, path: str, item: dict[str, Any]) -> None:
        """Tell the API, and wait until it knows."""
        assert self.api.stdin is not None
        assert self.api.stdout is not None
        self.api.stdin.write(json.dumps({"type": kind, "path": path, "object": item}) + "\n")
        self.api.stdin.flush()
        assert self.api.stdout.readline() == "\n"

    def rules(self) -> str:
        return self.netns.run("nft", "list", "ruleset")

    def get(self, url: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and body."""
        text = self.netns.run("curl", "-sig", "--max-time", "5", url)
        head, _, body = text.replace("\r", "").partition("\n\n")
        first, *rest = head.split("\n")
        return int(first.split()[1]), dict(line.split(": ", 1) for line in rest), body

    def status(self, url: str) -> int:
        """The HTTP status, 0 when nobody listens."""
        done = subprocess.run(
            self.netns.command("curl", "-sg", "-o", "/dev/null", "-w", "%{http_code}", url),
            capture_output=True,
            text=True,
            check=False,
        )
        return int(done.stdout)

    def close(self) -> None:
        for process in (self.proxy, self.api):
            if process is not None and process.poll() is None:
                process.kill()
                process.communicate()

    def _python(self, *arguments: str, **environment: str) -> subprocess.Popen[str]:
        log = (self._folder / "log").open("a")
        return subprocess.Popen(
            self.netns.command(sys.executable, *arguments),
            cwd=ROOT,
            env=os.environ | environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )


def node(*addresses_of_it: str, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    addresses = [{"type": "InternalIP", "address": a} for a in addresses_of_it or (NODE_IP, NODE_IP6)]
    return {"metadata": {"name": "n1"}, "status": {"addresses": addresses}, **more}


def service(name: str, address: str, **spec: Any) -> dict[str, Any]:  # noqa: ANN401
    port = {"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}
    return {
        "metadata": {"namespace": "default", "name": name, "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"clusterIPs": [address], "ports": [port], **spec},
    }


def one_slice(name: str, *addresses: str, node_name: str = "n1") -> dict[str, Any]:
    return {
        "metadata": {
            "namespace": "default",
            "name": f"{name}-x",
            "labels": {"kubernetes.io/service-name": name},
            "annotations": {
                "endpoints.kubernetes.io/last-change-trigger-time": time.strftime(
                    "%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1)
                )
            },
        },
        "addressType": "IPv4",
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": [{"addresses": [a], "nodeName": node_name, "conditions": {"ready": True}} for a in addresses],
    }
