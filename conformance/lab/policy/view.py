"""What the engine knows of the cluster, as the API's objects say it (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.lab.controllers.selectors import matches

Json = dict[str, Any]
_ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod of the pod network that has addresses; ``ports`` are its container ports: name, protocol, number."""

    namespace: str
    labels: Mapping[str, str]
    node: str
    addresses: tuple[str, ...]
    ports: tuple[tuple[str, str, int], ...]

    def numbers(self, name: str, protocol: str) -> frozenset[int]:
        """The ports that it calls ``name``."""
        return frozenset(number for n, p, number in self.ports if (n, p) == (name, protocol))


@dataclass(frozen=True, slots=True)
class World:
    """Policies as JSON, oldest name first; pods; the labels of namespaces by name."""

    policies: tuple[Json, ...]
    pods: tuple[Pod, ...]
    namespaces: Mapping[str, Mapping[str, str]]

    def chosen(self, peer: Json, home: str) -> Iterator[Pod]:
        """The pods that a peer of selectors means in a policy of namespace ``home``."""
        pods, namespaces = peer.get("podSelector"), peer.get("namespaceSelector")
        for pod in self.pods:
            if namespaces is None:
                near = pod.namespace == home
            else:
                near = matches(namespaces, self.namespaces.get(pod.namespace))
            if near and (pods is None or matches(pods, pod.labels)):
                yield pod


def world(policies: Iterable[Json], pods: Iterable[Json], namespaces: Iterable[Json]) -> World:
    """The cluster of these objects."""
    return World(
        tuple(sorted(policies, key=lambda p: (p["metadata"]["namespace"], p["metadata"]["name"]))),
        tuple(one for plain in pods if (one := _pod(plain))),
        {n["metadata"]["name"]: n["metadata"].get("labels") or {} for n in namespaces},
    )


def _pod(plain: Json) -> Pod | None:
    spec, status = plain["spec"], plain.get("status") or {}
    addresses = tuple(sorted(each["ip"] for each in status.get("podIPs") or ()))
    # The address of a pod that has ended may be another's by now.
    if spec.get("hostNetwork") or not addresses or status.get("phase") in _ENDED:
        return None
    sidecars = [c for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"]
    ports = [p for c in (*spec["containers"], *sidecars) for p in c.get("ports") or ()]
    return Pod(
        plain["metadata"]["namespace"],
        plain["metadata"].get("labels") or {},
        spec.get("nodeName", ""),
        addresses,
        tuple((p.get("name", ""), p.get("protocol", "TCP"), p["containerPort"]) for p in ports),
    )
