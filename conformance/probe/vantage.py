"""Places to dial from."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from conformance.cluster.api import Cluster
from conformance.cluster.command import CommandStream, Elsewhere
from conformance.cluster.exec import ExecStream
from conformance.cluster.pods import AGENT_PATH, PodRef
from conformance.cluster.stream import LineStream
from conformance.model.addresses import Family
from conformance.model.client import Client
from conformance.model.kube import Node
from conformance.probe.bundle import agent_source
from conformance.probe.session import Address


@dataclass(frozen=True, slots=True)
class Vantage:
    """A client, a way to start the agent there, and addresses that it should always reach, best first.

    ``open`` takes the agent's width (dials on their way at once) and may raise `ClusterError`.
    """

    client: Client
    open: Callable[[int], LineStream]
    controls: tuple[Address, ...] = ()

    @property
    def name(self) -> str:
        """The client's name."""
        return self.client.name


def in_pod(cluster: Cluster, client: Client, pod: PodRef, controls: tuple[Address, ...] = ()) -> Vantage:
    """The agent in a pod that mounts it."""
    command = ["python3", "-u", AGENT_PATH, "dial", "--width"]
    return Vantage(client, lambda width: ExecStream(cluster, pod.namespace, pod.name, [*command, str(width)]), controls)


def outside(client: Client, where: Elsewhere, controls: tuple[Address, ...] = ()) -> Vantage:
    """The agent behind a command prefix; nothing is installed there."""
    source = agent_source()
    return Vantage(client, lambda width: CommandStream.python(where, source, "dial", "--width", str(width)), controls)


def controls(client: Client, nodes: Iterable[Node], port: int) -> tuple[Address, ...]:
    """Addresses of host-network agents listening on ``port``, best first: no kube-proxy rule lies on the way.

    Another node's before its own (a silence on the network between them shows), an external client's entrance first.
    """
    entrance = client.kind.value == "external"
    ranked = sorted(nodes, key=lambda node: ((node.name == client.node) is not entrance, node.name))
    return tuple((ip, port) for node in ranked for family in Family if (ip := node.primary(family)))
