"""Throw-away network namespaces and the recorded cluster, for the reference proxy's tests."""

from __future__ import annotations

import functools
import gzip
import json
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.lab.proxy.config import Configuration
from conformance.model import parse
from conformance.model.kube import EndpointSlice, Node, Service

RULESETS = Path(__file__).parents[2] / "data" / "rulesets"


@dataclass(frozen=True)
class Netns:
    """A network namespace (in a user namespace of its own unless we are root), alive as long as its holder."""

    pid: int

    def command(self, *arguments: str) -> list[str]:
        """The command that runs ``arguments`` inside."""
        user = [] if os.geteuid() == 0 else ["-U", "--preserve-credentials"]
        return ["nsenter", "-t", str(self.pid), *user, "-n", "--", *arguments]

    def run(self, *arguments: str, text: str = "") -> str:
        """What the command prints; fails with what it says on standard error."""
        done = subprocess.run(self.command(*arguments), input=text, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{arguments}: {done.stderr[:2000]}"
        return done.stdout

    def nft(self, text: str) -> None:
        """Run one transaction."""
        self.run("nft", "-f", "-", text=text)

    def listing(self) -> list[str]:
        """The whole ruleset in a form in which equal rulesets are equal: no handles, no order but that of rules."""
        return canonical(json.loads(self.run("nft", "-j", "list", "ruleset")))


@dataclass(frozen=True)
class Recording:
    """The objects that a real kube-proxy 1.36.2 saw, and what it made of them."""

    services: tuple[Service, ...]
    slices: dict[str, tuple[EndpointSlice, ...]]
    nodes: dict[str, Node]
    local_addresses: dict[str, list[str]]
    configuration: Configuration
    service_cidrs: tuple[str, ...]

    def ruleset(self, node: str) -> list[str]:
        """The recorded ruleset of ``node``, canonical."""
        return canonical(load(f"ruleset-{node}.json.gz"))


def load(name: str) -> dict[str, Any]:
    """A file of recorded data."""
    found: dict[str, Any] = json.loads(gzip.decompress((RULESETS / name).read_bytes()))
    return found


def canonical(listing: dict[str, Any]) -> list[str]:
    """``nft -j list ruleset`` without handles, sorted; a chain's rules are one entry, so that their order counts."""
    entries: list[str] = []
    rules: dict[str, list[Any]] = {}
    for item in listing["nftables"]:
        ((kind, body),) = item.items()
        if kind == "metainfo":
            continue
        body = {k: v for k, v in body.items() if k != "handle"}
        if kind == "rule":
            rules.setdefault(f"{body['family']} {body['table']} {body.pop('chain')}", []).append(body)
            continue
        if kind in ("set", "map") and "elem" in body:
            body["elem"] = sorted(body["elem"], key=lambda e: json.dumps(e, sort_keys=True))
        entries.append(json.dumps({kind: body}, sort_keys=True))
    entries += [json.dumps({"rules": {chain: made}}, sort_keys=True) for chain, made in rules.items()]
    return sorted(entries)


@pytest.fixture
def netns() -> Iterator[Netns]:
    """A network namespace with its loopback up."""
    with namespace() as made:
        yield made


class namespace:  # noqa: N801  used like a function, in a with statement
    """A network namespace for the duration of a with statement."""

    def __enter__(self) -> Netns:
        self._holder = _hold(*_inside_user_namespace(), "unshare", "-n", "--")
        made = Netns(self._holder.pid)
        made.run("ip", "link", "set", "lo", "up")
        return made

    def __exit__(self, *_: object) -> None:
        self._holder.communicate()


def _hold(*prefix: str) -> subprocess.Popen[bytes]:
    """A process in the namespaces that ``prefix`` makes; it says a word when inside, and ends with its input."""
    holder = subprocess.Popen(
        [*prefix, "sh", "-c", "echo in; exec cat >/dev/null"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"in\n"
    return holder


@functools.cache
def _user_namespace() -> subprocess.Popen[bytes]:
    """One for all network namespaces of this process: links can be moved only between those of one owner."""
    return _hold("unshare", "-Ur", "--")


def _inside_user_namespace() -> list[str]:
    if os.geteuid() == 0:
        return []
    return ["nsenter", "-t", str(_user_namespace().pid), "-U", "--preserve-credentials", "--"]


@pytest.fixture(scope="session")
def new_netns() -> type[namespace]:
    """For tests that need several namespaces, or a fresh one per example."""
    return namespace


@pytest.fixture(scope="session")
def recording() -> Recording:
    """The recorded cluster."""
    data = load("objects.json.gz")
    slices: dict[str, tuple[EndpointSlice, ...]] = {}
    for one in map(parse.endpoint_slice, data["endpointslices"]):
        key = f"{one.namespace}/{one.service}"
        slices[key] = (*slices.get(key, ()), one)
    return Recording(
        services=tuple(map(parse.service, data["services"])),
        slices=slices,
        nodes={n.name: n for n in map(parse.node, data["nodes"])},
        local_addresses=data["localAddresses"],
        configuration=Configuration(cluster_cidrs=tuple(data["kubeProxy"]["clusterCIDR"])),
        service_cidrs=tuple(data["kubeProxy"]["serviceCIDR"]),
    )
