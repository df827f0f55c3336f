"""One cluster of a bench: its pods, the Services that there are by now, and the agents that measure."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

from conformance.arrange.arrangement import Arrangement, Wanted
from conformance.arrange.cleanup import remove
from conformance.arrange.run import Run
from conformance.bench import stock
from conformance.bench.planning import Dial, Rung
from conformance.bench.stock import JSON, PORT, End
from conformance.bench.timer import Clock, Target, Timer, source, timers
from conformance.cluster.api import Cluster
from conformance.cluster.paths import kind
from conformance.cluster.pods import PodRef
from conformance.errors import ClusterError
from conformance.measured.lines import Place, Seat, Way
from conformance.model.addresses import Family, Protocol
from conformance.model.case.backend import fleet
from conformance.model.case.service_spec import ServiceSpec
from conformance.model.kube import Node
from conformance.model.surroundings import FLEET_PORT

PODS = 8
"""Pods that play all endpoints, at most: more endpoints are more ports of theirs."""
LIMIT = 600.0
"""Seconds that all nodes are given to serve a rung's last Service."""
AT_ONCE = 16
_BATCH = 200


@dataclass
class Ground:
    """A cluster with ``numbers`` of Services by now; ``served`` are their ClusterIPs and node ports in order."""

    cluster: Cluster
    place: Place
    run: Run
    family: Family
    nodes: Sequence[Node]
    ends: Sequence[End]
    pods: Mapping[Seat, PodRef]
    watchers: Sequence[PodRef]
    """The host-network agents, in the order of ``nodes``; the first node is where dials come from."""
    unprogrammed: Callable[[], AbstractContextManager[None]]
    """As in `conformance.bench.running.Site`."""
    seats: dict[Seat, Timer] = field(default_factory=dict)
    watching: list[Timer] = field(default_factory=list)
    clocks: list[Clock] = field(default_factory=list)
    served: list[tuple[str, int]] = field(default_factory=list)
    moves: Counter[int] = field(default_factory=Counter)
    """How often the endpoints of each Service have moved to their other port."""

    @property
    def address(self) -> str:
        """Of the node where dials come from."""
        found = self.nodes[0].primary(self.family)
        assert found is not None  # nodes without one are left out
        return found

    def to(self, dial: Dial, end: End) -> Target:
        """The address that a dial goes to; ``end`` is the endpoint that the floor is dialled at."""
        ip, node_port = self.served[dial.service]
        match dial.way:
            case Way.LOOPBACK:
                return ("127.0.0.1" if self.family is Family.IPV4 else "::1"), self.run.backend_port
            case Way.DIRECT:
                return end.ip, end.port
            case Way.CLUSTER_IP:
                return ip, PORT
            case Way.NODE_PORT:
                return self.address, node_port

    def populate(self, rung: Rung, stop: threading.Event) -> float:
        """Create the Services that are missing, until ``stop`` is set; how many seconds that took."""
        began, chosen = time.monotonic(), self.ends[: rung.endpoints]

        def one(number: int) -> tuple[str, int]:
            made, slices = stock.stocked(self.run, number, self.family, chosen)
            for each in slices:
                self.create(each)
            spec = self.create(made)["spec"]
            return spec["clusterIP"], spec["ports"][0].get("nodePort", 0)

        with ThreadPoolExecutor(AT_ONCE, "populate") as pool, self.cluster.outage.hurried():
            for start in range(len(self.served), rung.services, _BATCH):
                if stop.is_set():  # an interrupt waits for one batch, not for all
                    break
                self.served += pool.map(one, range(start, min(start + _BATCH, rung.services)))
        return time.monotonic() - began

    def await_served(self, rung: Rung) -> float:
        """Wait until every node serves what was created last; how many seconds that took."""
        began = time.monotonic()
        with self.one_more("last") as last:
            late = [n.name for n, at in zip(self.nodes, self.reached(last, "", LIMIT), strict=True) if at is None]
        if late:
            raise ClusterError(
                f"After {LIMIT:.0f} s {', '.join(late)} did not serve the last of {rung.services} Services.",
                "Try fewer, or see kube-proxy's log.",
            )
        seconds = time.monotonic() - began
        self.compare_clocks()
        return seconds

    def compare_clocks(self) -> None:
        """Those of the nodes with ours: anew for each rung, for in the hours that a ladder takes they drift apart."""
        self.clocks = [one.clock() for one in self.watching]

    def create(self, made: JSON) -> JSON:
        """One object, created."""
        return self.cluster.create(kind(made["kind"]).path(self.run.namespace), made)

    @contextmanager
    def one_more(self, word: str) -> Iterator[Target]:
        """One more TCP Service for the time of the block; it has the first endpoint."""
        name = f"bench-{word}"
        slices = stock.slices(self.run, name, Protocol.TCP, self.family, self.ends[:1])
        for each in slices:
            self.create(each)
        ip = self.create(stock.service(self.run, name, Protocol.TCP, self.family))["spec"]["clusterIP"]
        try:
            yield ip, PORT
        finally:
            self.delete("Service", name)
            for each in slices:
                self.delete("EndpointSlice", each["metadata"]["name"])

    def delete(self, what: str, name: str) -> None:
        """One object, deleted."""
        self.cluster.delete(kind(what).path(self.run.namespace, name))

    def move(self, name: str, protocol: Protocol, port: int) -> None:
        """Patch the one slice of a Service that was created with the first endpoint, or with several at one port."""
        path = kind("EndpointSlice").path(self.run.namespace, f"{name}-{self.ends[0].port}")
        self.cluster.patch(path, stock.moved(protocol, port))

    def arm(self, to: Target, answered_by: str, limit: float, every: float = 0.005) -> None:
        """From now on every node looks whether ``to`` is answered, by the endpoint of that name where one is given."""
        for one in self.watching:
            one.arm("reach", to=to, name=answered_by, limit=limit, every=every)

    def collect(self, limit: float) -> list[float | None]:
        """When each node saw what `arm` looks for, in seconds of our clock since the epoch; None: it did not."""
        found = [one.answer(limit)["at"] for one in self.watching]
        return [None if at is None else at / 1e9 - c.ahead for at, c in zip(found, self.clocks, strict=True)]

    def reached(self, to: Target, answered_by: str, limit: float) -> list[float | None]:
        """`arm` and `collect`."""
        self.arm(to, answered_by, limit)
        return self.collect(limit)


@contextmanager
def grounds(
    cluster: Cluster,
    place: Place,
    run: Run,
    family: Family,
    nodes: Sequence[Node],
    endpoints: int,
    unprogrammed: Callable[[], AbstractContextManager[None]],
) -> Iterator[Ground]:
    """A cluster made ready for Services with up to ``endpoints`` endpoints; all of it is gone, or going, afterwards."""
    nodes = [node for node in nodes if node.primary(family)]
    if not nodes:
        raise ClusterError(f"No node of this cluster has an {family.value} address.", "Name the other with --family.")
    client, others = nodes[0], nodes[1:] or nodes
    count = min(endpoints, PODS)
    size = max(2, -(-endpoints // count))  # two names at least: what changes must be told from what was
    roles = {f"e{i}": others[i % len(others)].name for i in range(count)}
    wanted = Wanted(
        nodes={"a": client.name, **roles},
        # The last of a fleet says how large it is; nobody selects them, and a label of them all would be too long.
        services=[ServiceSpec(endpoints=fleet(role, size)[-1:]) for role in roles],
        client_roles=("a",),
        host_nodes=[n.name for n in nodes],
    )
    with ExitStack() as stack:
        arrangement = stack.enter_context(Arrangement(cluster, run, source()))
        arrangement.build(wanted)
        addresses = arrangement.addresses
        pods = [(f"fleet-{r}", _one(addresses[f"fleet-{r}"], family), node) for r, node in roles.items()]
        ground = Ground(
            cluster,
            place,
            run,
            family,
            nodes,
            stock.ends(pods, FLEET_PORT + 1, count * size),
            {Seat.POD: PodRef(run.namespace, "client-a"), Seat.NODE: PodRef(run.host_namespace, "agent-0")},
            [PodRef(run.host_namespace, f"agent-{i}") for i in range(len(nodes))],
            unprogrammed,
        )
        seats = stack.enter_context(timers(cluster, list(ground.pods.values())))
        ground.seats = dict(zip(ground.pods, seats, strict=True))
        ground.watching = stack.enter_context(timers(cluster, ground.watchers))
        ground.compare_clocks()
        yield ground


def emptied(ground: Ground) -> None:
    """Everything of the ground is gone on return."""
    remove(ground.cluster, ground.run.id)


def _one(ips: tuple[str, ...], family: Family) -> str:
    mine: Any = next((ip for ip in ips if Family.of(ip) is family), None)
    if mine is None:
        raise ClusterError(f"The pods of this cluster have no {family.value} address.", "Name the other with --family.")
    return str(mine)
