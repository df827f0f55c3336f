"""One run's objects in a cluster: created at once, waited for, removed on the way out."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

from conformance.arrange import lacking, manifests
from conformance.arrange.cleanup import remove
from conformance.arrange.run import Run
from conformance.arrange.waits import ACCOUNT, PODS, NotConverged, converge
from conformance.cluster.api import Cluster
from conformance.cluster.effort import timed
from conformance.cluster.paths import collection_of, kind
from conformance.cluster.pods import PodRef
from conformance.errors import ClusterError, UsageError
from conformance.model.case.backend import Backend, Breed
from conformance.model.case.refs import endpoint, host, pod
from conformance.model.case.service_spec import ServiceSpec
from conformance.model.client import Client, ClientKind
from conformance.model.effort import Phase
from conformance.model.kube import HostPort

JSON = dict[str, Any]
T = TypeVar("T")
R = TypeVar("R")
AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to arrange: endpoints, client pods and host-network agents, on the nodes that play the roles.

    ``ping``: clients may send echo requests; ``raw``: they and host-network agents may open raw and packet sockets.
    Both only where somebody asks for what takes them. ``privileged``: host-network agents are a way into their nodes.
    ``host_ports`` of a role lead to its PORTED backend, if there is one.
    """

    nodes: Mapping[str, str]  # role -> node
    services: Sequence[ServiceSpec] = ()  # whose endpoints there must be
    client_roles: Sequence[str] = ()
    dialling: Collection[str] = ()  # names of wards that are client positions
    host_nodes: Sequence[str] = ()  # node names that get a host-network agent
    beside: Sequence[Backend] = ()  # backends that serve no Service
    ping: bool = False
    raw: bool = False
    privileged: bool = False
    host_ports: Mapping[str, Sequence[HostPort]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Position:
    """A client position of the cluster, and the pod in which its agent can be started.

    ``ward``: NetworkPolicies may keep it from dialling anybody but its own node.
    """

    client: Client
    pod: PodRef
    ward: bool = False


class LeftBehind(ClusterError):
    """The run's namespaces could not be taken away."""


def _raise(left: LeftBehind) -> None:
    raise left


@dataclass
class Arrangement:
    """A context manager: leaving it removes the run's namespaces, however it is left, unless ``keep`` is set.

    ``tell`` is given what could not be removed; by default it is raised.
    """

    cluster: Cluster
    run: Run
    agent: str
    keep: bool = False
    tell: Callable[[LeftBehind], None] = _raise
    _pods: dict[str, JSON] = field(default_factory=dict)
    _backends: dict[str, Backend] = field(default_factory=dict)

    def __enter__(self) -> Self:
        return self

    @timed(Phase.CLEAN_UP)
    def __exit__(
        self, kind_: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        if self.keep:
            return
        if kind_ and not issubclass(kind_, Exception):
            self.cluster.outage.hurry()
        try:
            self._remove()
        except KeyboardInterrupt:
            # It came while a run that had nothing more to ask was clearing up: that is what it would have us do.
            self.cluster.outage.hurry()
            self._remove()
            raise

    def _remove(self) -> None:
        try:
            # Nobody waits for what is thrown away: names are never used again.
            remove(self.cluster, self.run.id, wait=False)
        except ClusterError as failure:
            names = f"{self.run.namespace} and {self.run.host_namespace}"
            text = f"The namespaces {names} may be left in the cluster: {failure.cause}"
            self.tell(LeftBehind(text, "Run 'nftconform cleanup --older-than 0' when it can be reached again."))

    def at_once(self, do: Callable[[T], R], some: Iterable[T]) -> list[R]:
        """Do it to all of them, many at a time; what came of each, in the order given."""
        with ThreadPoolExecutor(AT_ONCE, "change") as pool, self.cluster.outage.hurried():
            return list(pool.map(do, some))

    def create(self, objects: Iterable[JSON]) -> list[JSON]:
        """Create all at once; as the API stored them, in the order given."""
        return self.at_once(lambda o: self.cluster.create(collection_of(o), o), objects)

    @timed(Phase.PODS)
    def build(self, wanted: Wanted) -> dict[str, Position]:
        """Create namespaces and pods and wait for them; client positions by the label of their `ClientRef`.

        Raises `NotConverged` when the pods do not get ready.
        """
        run = self.run
        serving = [*(b for spec in wanted.services for b in spec.backends), *wanted.beside]
        every = [b for b in serving if b.role in wanted.nodes]
        self._backends = {b.pod: b for b in sorted(set(every))}  # of a fleet its last
        privileged = wanted.raw or any(b.host_network or b.raw for b in every)
        spaces = [manifests.namespace(run, run.namespace, privileged=privileged)]
        if wanted.host_nodes:
            spaces.append(manifests.namespace(run, run.host_namespace, privileged=True))
        credentials = self._credentials()
        self.create(spaces)
        names = [s["metadata"]["name"] for s in spaces]
        self.create(manifests.agent_map(run, name, self.agent) for name in names)
        if credentials:
            self.create(manifests.pull_secret(run, name, credentials) for name in names)
        for name in names:
            self._wait_for_account(kind("ServiceAccount").path(name, "default"))
        pods = [
            *(
                manifests.backend(
                    run,
                    b,
                    wanted.nodes[b.role],
                    wanted.services,
                    wanted.host_ports.get(b.role, ()),
                    raw=wanted.raw and b.ward,
                )
                for b in self._backends.values()
            ),
            *(
                manifests.client(run, role, wanted.nodes[role], ping=wanted.ping, raw=wanted.raw)
                for role in wanted.client_roles
            ),
            *(
                manifests.host_agent(run, i, node, raw=wanted.raw, privileged=wanted.privileged)
                for i, node in enumerate(wanted.host_nodes)
            ),
        ]
        self.create(pods)
        self._wait_for_pods([p["metadata"]["name"] for p in pods])
        return self._positions(wanted)

    @property
    def addresses(self) -> dict[str, tuple[str, ...]]:
        """The addresses of every backend pod, by name."""
        return {name: _ips(self._pods[name]) for name in self._backends}

    @property
    def pods(self) -> list[JSON]:
        """The run's pods, as they were when they got ready."""
        return list(self._pods.values())

    def services(self) -> list[JSON]:
        """The run's Services as the API has them now."""
        return self.cluster.objects("Service", self.run.namespace, self.run.selector)

    def slices(self, selector: str = "") -> list[JSON]:
        """The EndpointSlices of the run's Services, or those with these labels, as the API has them now."""
        return self.cluster.objects("EndpointSlice", self.run.namespace, selector)

    def _credentials(self) -> JSON | None:
        """The Secret that is to be copied; `UsageError` when it is not there, or none for pulling images."""
        if not self.run.pull_secret:
            return None
        namespace, name = self.run.pull_secret.split("/")
        found = self.cluster.find(kind("Secret").path(namespace, name))
        if found is None or not str(found.get("type")).startswith("kubernetes.io/dockerc"):
            why = "is not there" if found is None else "holds no credentials of a registry"
            raise UsageError(
                f"The Secret {namespace}/{name} {why}.", "`kubectl create secret docker-registry` makes one."
            )
        return found

    def _wait_for_account(self, path: str) -> None:
        """Admission refuses pods of a namespace whose default account has not been made yet."""
        converge(ACCOUNT, lambda: self.cluster.find(path), lambda found: "" if found else "missing")

    def _wait_for_pods(self, names: list[str]) -> None:
        failed = {name for name, b in self._backends.items() if b.failed}
        never = {name for name, b in self._backends.items() if not b.ready} - failed

        def look() -> list[JSON]:
            spaces = (self.run.namespace, self.run.host_namespace)
            return [p for name in spaces for p in self.cluster.objects("Pod", name, self.run.selector)]

        try:
            seen = converge(PODS, look, lambda found: lacking.pods(names, found, never_ready=never, failed=failed))
        except NotConverged as late:
            raise NotConverged(f"{late.cause}{self._warning()}", late.hint) from None
        self._pods = {p["metadata"]["name"]: p for p in seen}

    def _warning(self) -> str:
        """The cluster's own last word on the run's pods; none where this identity may not read events."""
        spaces = (self.run.namespace, self.run.host_namespace)
        with contextlib.suppress(ClusterError):
            return lacking.warning(e for name in spaces for e in self.cluster.objects("Event", name))
        return ""

    def _positions(self, wanted: Wanted) -> dict[str, Position]:
        roles = {node: role for role, node in wanted.nodes.items()}
        found: dict[str, Position] = {}
        for name, obj in self._pods.items():
            node = obj["spec"]["nodeName"]
            role = roles.get(node, "")
            if obj["metadata"]["namespace"] == self.run.host_namespace:
                label, position = host(role).label if role else f"node-{node}", ClientKind.NODE
            elif name == f"web-{role}":
                label, position = endpoint(role).label, ClientKind.POD
            elif name == f"{Breed.RAW.value}-{role}":
                label, position = endpoint(role, breed=Breed.RAW).label, ClientKind.POD
            elif name in wanted.dialling:
                label, position = f"endpoint-{name}", ClientKind.POD
            elif name.startswith("client-"):
                label, position = pod(role).label, ClientKind.POD
            else:
                continue
            ips = () if obj["spec"].get("hostNetwork") else _ips(obj)
            client = Client(label, position, node, ips)
            found[label] = Position(client, PodRef(obj["metadata"]["namespace"], name), name in wanted.dialling)
        return found


def _ips(pod_: JSON) -> tuple[str, ...]:
    return tuple(i["ip"] for i in pod_["status"].get("podIPs") or [])
