"""Three ways of dialling one Service from one pod: the kit's agent, a bare socket loop, and an exec for each dial."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

from conformance.arrange.arrangement import Arrangement, Wanted
from conformance.arrange.run import Run
from conformance.arrange.services import Services
from conformance.cluster.api import Cluster
from conformance.cluster.output import completed
from conformance.cluster.pods import PodRef
from conformance.errors import ClusterError
from conformance.model.addresses import Protocol
from conformance.model.case import on, pod, service
from conformance.model.kube import Node
from conformance.model.parse import service as parsed
from conformance.model.surroundings import Surroundings
from conformance.probe.bundle import agent_source
from conformance.probe.prober import Prober
from conformance.probe.request import DialRequest, Transport
from conformance.probe.vantage import controls, in_pod

LOOP = """
import json, resource, socket, struct, sys, time
ip, port, count, kind = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
family, kind = socket.AF_INET6 if ":" in ip else socket.AF_INET, getattr(socket, kind)
began = time.monotonic()
for number in range(count):
    with socket.socket(family, kind) as sock:
        sock.settimeout(5)
        if kind == socket.SOCK_STREAM:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        sock.connect((ip, port))
        sock.sendall(b"%d\\n" % number)
        if b'"id"' not in sock.recv(65536):
            sys.exit("no agent answered")
took = time.monotonic() - began
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([took, used.ru_utime + used.ru_stime]))
"""
"""Connect, ask, hear the answer, reset: what an agent does for a dial, and nothing else."""
MEMORY = """
import pathlib
held = [0]
for process in pathlib.Path("/proc").glob("[0-9]*"):
    try:
        words = (process / "cmdline").read_bytes().split(b"\\0")
        if b"dial" in words and any(word.endswith(b"agent.py") for word in words):
            held += [int(line.split()[1]) for line in (process / "status").open() if line.startswith("VmHWM")]
    except OSError:
        continue
print(max(held))
"""
KINDS = {Protocol.TCP: "SOCK_STREAM", Protocol.UDP: "SOCK_DGRAM"}
REQUESTS, COUNT = 100, 21
"""Of the kit's way, a round: as many dials as a cell with two endpoints takes, each with its controls."""
BARE, EXECS, SIDE_BY_SIDE = 2000, 5, 8


@dataclass(frozen=True, slots=True)
class Place:
    """Where dials come from and where they go; ``name`` is the vantage point's."""

    cluster: Cluster
    prober: Prober
    name: str
    pod: PodRef
    ip: str
    port: int


@contextmanager
def arranged(cluster: Cluster, run: Run, nodes: list[Node]) -> Iterator[Place]:
    """A Service whose endpoint is on the first node, and a client on the last one."""
    roles = dict(zip("ab", (nodes[0].name, nodes[-1].name), strict=True))
    spec, sentinel = service(endpoints=on("a")), service(endpoints=on("a"), called="sentinel")
    with Arrangement(cluster, run, agent_source()) as arrangement:
        positions = arrangement.build(Wanted(roles, [spec, sentinel], ["b"], [n.name for n in nodes]))
        position = positions[pod("b").label]
        vantage = in_pod(cluster, position.client, position.pod, controls(position.client, nodes, run.control_port))
        by_role = {role: next(n for n in nodes if n.name == name) for role, name in roles.items()}
        clients = {label: one.client for label, one in positions.items()}
        here = Surroundings(by_role, arrangement.addresses, clients, (), run.backend_port)
        Services(arrangement).become([spec], here, sentinel)
        made = next(s for s in map(parsed, arrangement.services()) if s.name == spec.name)
        with Prober([vantage]) as prober:
            place = Place(cluster, prober, vantage.name, position.pod, made.cluster_ips[0], made.ports[0].port)
            _await(place)
            yield place


def _await(place: Place) -> None:
    """Until the Service answers."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        asked = {place.name: [DialRequest("first", place.ip, place.port, timeout=0.5)]}
        if any(dial.endpoint for _, seen in place.prober.sweep(asked) for dial in seen.dials):
            return
    raise ClusterError("The Service does not answer.", "Look at kube-proxy on the nodes.")


def ways(place: Place, protocol: Protocol) -> Mapping[str, Callable[[], float]]:
    """Dials a second, by each way: each call is one round."""
    return {
        "kit": lambda: _kit(place, protocol),
        "bare loop": lambda: BARE / _looped(place, protocol, BARE),
        "an exec each": lambda: _execs(place, protocol, 1),
        f"an exec each, {SIDE_BY_SIDE} at once": lambda: _execs(place, protocol, SIDE_BY_SIDE),
    }


def measured(place: Place, protocol: Protocol, rounds: int, seed: int) -> dict[str, list[float]]:
    """All ways by turns, in an order drawn anew for each round, after one round that does not count."""
    draw = random.Random(seed)
    every = ways(place, protocol)
    found: dict[str, list[float]] = {name: [] for name in every}
    for number in range(rounds + 1):
        for name in draw.sample(sorted(every), len(every)):
            rate = every[name]()
            if number:
                found[name].append(rate)
    return found


def agent_memory(place: Place) -> float:
    """MiB: the largest resident set that the dialling agent has had."""
    return int(completed(place.cluster, place.pod, "python3", "-c", MEMORY).output) / 1024


def _kit(place: Place, protocol: Protocol) -> float:
    transport = Transport.of(protocol)
    asked = [DialRequest(str(n), place.ip, place.port, transport, count=COUNT) for n in range(REQUESTS)]
    began = time.monotonic()
    dials = [dial for _, seen in place.prober.sweep({place.name: asked}) for dial in seen.dials]
    took = time.monotonic() - began
    if not all(dial.endpoint for dial in dials):
        raise ClusterError("Not every dial was answered.", "Measure when the machine has time for it.")
    return len(dials) / took


def _looped(place: Place, protocol: Protocol, count: int) -> float:
    """Seconds of so many dials in one loop, without the start of the program that makes them."""
    words = ("python3", "-c", LOOP, place.ip, str(place.port), str(count), KINDS[protocol])
    done = completed(place.cluster, place.pod, *words)
    if done.code:
        raise ClusterError(f"The bare loop failed: {done.errors.strip()[-200:]}.", "Measure on a cluster at rest.")
    took: float = json.loads(done.output)[0]
    return took


def _execs(place: Place, protocol: Protocol, at_once: int) -> float:
    """As those do who exec a program in a pod for each dial; this one is the bare loop, once round."""
    count, began = EXECS * at_once, time.monotonic()
    with ThreadPoolExecutor(at_once, "exec") as pool:
        list(pool.map(lambda _: _looped(place, protocol, 1), range(count)))
    return count / (time.monotonic() - began)
