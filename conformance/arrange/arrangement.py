"""One run's objects in a cluster: created at once, waited for, removed on the way out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from types import TracebackType
from typing import Any, Self

from conformance.arrange import lacking, manifests
from conformance.arrange.cleanup import remove
from conformance.arrange.run import Run
from conformance.arrange.waits import ACCOUNT, LOAD_BALANCERS, PODS, SLICES, NotConverged, converge
from conformance.cluster.api import Cluster
from conformance.cluster.paths import collection_of, kind
from conformance.cluster.pods import PodRef
from conformance.model.case import ServiceSpec, endpoint, host, pod
from conformance.model.client import Client, ClientKind

JSON = dict[str, Any]
AT_ONCE = 16


def documentation_addresses(number: int) -> tuple[str, ...]:
    """The external IPs of the ``number``-th Service that wants some: TEST-NET-2 and 2001:db8:100::/64, nobody's own."""
    return f"198.51.100.{number % 250 + 1}", f"2001:db8:100::{number % 250 + 1:x}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to arrange: endpoints, client pods and host-network agents, on the nodes that play the roles."""

    nodes: Mapping[str, str]  # role -> node
    services: Sequence[ServiceSpec] = ()  # whose endpoints there must be
    client_roles: Sequence[str] = ()
    host_nodes: Sequence[str] = ()  # node names that get a host-network agent


@dataclass(frozen=True, slots=True)
class Position:
    """A client position of the cluster, and the pod in which its agent can be started."""

    client: Client
    pod: PodRef


@dataclass
class Arrangement:
    """A context manager: leaving it removes the run's namespaces, however it is left, unless ``keep`` is set."""

    cluster: Cluster
    run: Run
    agent: str
    keep: bool = False
    external_ips: Callable[[int], tuple[str, ...]] = documentation_addresses
    _numbers: Iterator[int] = field(default_factory=count)
    _pods: dict[str, JSON] = field(default_factory=dict)
    _backends: set[str] = field(default_factory=set)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind_: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        if not self.keep:
            # Nobody waits for what is thrown away: names are never used again.
            remove(self.cluster, self.run.id, wait=False)

    def create(self, objects: Iterable[JSON]) -> list[JSON]:
        """Create all at once, many at a time; as the API stored them, in the order given."""
        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="create") as pool:
            return list(pool.map(lambda o: self.cluster.create(collection_of(o), o), objects))

    def build(self, wanted: Wanted) -> dict[str, Position]:
        """Create namespaces and pods and wait for them; client positions by the label of their `ClientRef`.

        Raises `NotConverged` when the pods do not get ready.
        """
        run = self.run
        backends = {b for spec in wanted.services for b in spec.endpoints if b.role in wanted.nodes}
        privileged = any(b.host_network for b in backends)
        spaces = [manifests.namespace(run, run.namespace, privileged=privileged)]
        if wanted.host_nodes:
            spaces.append(manifests.namespace(run, run.host_namespace, privileged=True))
        self.create(spaces)
        names = [s["metadata"]["name"] for s in spaces]
        self.create(manifests.agent_map(run, name, self.agent) for name in names)
        for name in names:
            self._wait_for_account(kind("ServiceAccount").path(name, "default"))
        pods = [
            *(
                manifests.pod(
                    run, run.namespace, b.name, wanted.nodes[b.role], port=run.backend_port, role="backend",
                    labels=manifests.ends_labels(b, wanted.services), host=b.host_network,
                )
                for b in sorted(backends)
            ),
            *(
                manifests.pod(
                    run, run.namespace, f"client-{role}", wanted.nodes[role], port=run.backend_port, role="client"
                )
                for role in wanted.client_roles
            ),
            *(
                manifests.pod(
                    run, run.host_namespace, f"agent-{index}", node, port=run.control_port, role="agent", host=True
                )
                for index, node in enumerate(wanted.host_nodes)
            ),
        ]  # fmt: skip
        self.create(pods)
        self._backends = {b.name for b in backends}
        self._wait_for_pods([p["metadata"]["name"] for p in pods])
        return self._positions(wanted)

    def serve(self, specs: Sequence[ServiceSpec], sentinel: ServiceSpec) -> JSON:
        """Create the Services of ``specs``, wait until their slices hold the endpoints, then create the sentinel.

        A proxy that serves the sentinel has seen all that was there before it. Returns the sentinel Service. Raises
        `NotConverged` when slices do not come; Services without a load balancer's address remain.
        """
        addresses = [self.external_ips(next(self._numbers)) if spec.external_ip else () for spec in specs]
        self.create(manifests.service(self.run, spec, ips) for spec, ips in zip(specs, addresses, strict=True))
        self._wait_for_endpoints({s.name: frozenset(b.name for b in s.endpoints) for s in specs})
        last = manifests.service(self.run, sentinel)
        last["metadata"]["name"] = f"last-{next(self._numbers)}"
        (made,) = self.create([last])
        self._wait_for_endpoints({made["metadata"]["name"]: frozenset(b.name for b in sentinel.endpoints)})
        return made

    def withdraw(self, specs: Iterable[ServiceSpec]) -> None:
        """Delete the Services of ``specs``."""
        with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="delete") as pool:
            paths = [kind("Service").path(self.run.namespace, spec.name) for spec in specs]
            list(pool.map(self.cluster.delete, paths))

    def services(self) -> list[JSON]:
        """The run's Services as the API has them now."""
        return self.cluster.objects("Service", self.run.namespace, self.run.selector)

    def slices(self) -> list[JSON]:
        """The EndpointSlices of the run's Services, as the API has them now."""
        return self.cluster.objects("EndpointSlice", self.run.namespace)

    def has_load_balancer(self) -> bool:
        """Whether every LoadBalancer Service of the run gets an address, waiting for it."""
        try:
            converge(LOAD_BALANCERS, self.services, lacking.ingresses)
        except NotConverged:
            return False
        return True

    def _wait_for_account(self, path: str) -> None:
        """Admission refuses pods of a namespace whose default account has not been made yet."""
        converge(ACCOUNT, lambda: self.cluster.find(path), lambda found: "" if found else "missing")

    def _wait_for_pods(self, names: list[str]) -> None:
        def look() -> list[JSON]:
            spaces = (self.run.namespace, self.run.host_namespace)
            return [p for name in spaces for p in self.cluster.objects("Pod", name, self.run.selector)]

        seen = converge(PODS, look, lambda found: lacking.pods(names, found))
        self._pods = {p["metadata"]["name"]: p for p in seen}

    def _wait_for_endpoints(self, expected: dict[str, frozenset[str]]) -> None:
        converge(
            SLICES,
            lambda: (self.services(), self.slices()),
            lambda seen: lacking.endpoints(expected, *seen),
        )

    def _positions(self, wanted: Wanted) -> dict[str, Position]:
        roles = {node: role for role, node in wanted.nodes.items()}
        found: dict[str, Position] = {}
        for name, obj in self._pods.items():
            node = obj["spec"]["nodeName"]
            role = roles.get(node, "")
            on_host = bool(obj["spec"].get("hostNetwork"))
            if obj["metadata"]["namespace"] == self.run.host_namespace:
                label, position = host(role).label if role else f"node-{node}", ClientKind.NODE
            elif name in self._backends and not on_host:
                label, position = endpoint(role).label, ClientKind.POD
            elif name.startswith("client-"):
                label, position = pod(role).label, ClientKind.POD
            else:
                continue
            ips = () if on_host else tuple(i["ip"] for i in obj["status"].get("podIPs") or [])
            found[label] = Position(Client(label, position, node, ips), PodRef(obj["metadata"]["namespace"], name))
        return found
