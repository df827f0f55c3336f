"""NetworkPolicies and the pods that they are about, reduced to what decides who may reach whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.model.addresses import Protocol

NAMESPACE_NAME = "kubernetes.io/metadata.name"
"""The label that the API server gives every namespace: its name."""


@dataclass(frozen=True, slots=True)
class Requirement:
    """One of a selector's ``matchExpressions``."""

    key: str
    operator: str
    values: tuple[str, ...] = ()

    def holds(self, labels: Mapping[str, str]) -> bool:
        """Whether ``labels`` meet it; an operator that is not known holds never."""
        match self.operator:
            case "In":
                return labels.get(self.key) in self.values
            case "NotIn":
                return labels.get(self.key) not in self.values
            case "Exists":
                return self.key in labels
            case "DoesNotExist":
                return self.key not in labels
            case _:
                return False


@dataclass(frozen=True, slots=True)
class LabelSelector:
    """``metav1.LabelSelector``; without requirements it matches everything."""

    requirements: tuple[Requirement, ...] = ()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether ``labels`` meet all requirements."""
        return all(each.holds(labels) for each in self.requirements)


@dataclass(frozen=True, slots=True)
class IPBlock:
    """``networkpolicy.spec.ingress[].from[].ipBlock``."""

    cidr: str
    excepts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a rule means: a block of addresses, or pods by their labels and their namespaces'.

    ``namespaces`` None: the policy's own. ``pods`` None: all of them.
    """

    pods: LabelSelector | None = None
    namespaces: LabelSelector | None = None
    block: IPBlock | None = None


@dataclass(frozen=True, slots=True)
class PolicyPort:
    """A port of the pod that is dialled; ``port`` None is every port of the protocol, a word a container port's."""

    protocol: Protocol
    port: int | str | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class PolicyRule:
    """One of the things that a policy allows; no ``peers``: everybody, no ``ports``: everything."""

    peers: tuple[Peer, ...] = ()
    ports: tuple[PolicyPort, ...] = ()


@dataclass(frozen=True, slots=True)
class NetworkPolicy:
    """``ingress`` and ``egress`` are what is allowed; None: the policy does not isolate in that direction."""

    namespace: str
    name: str
    pods: LabelSelector = field(default_factory=LabelSelector)
    ingress: tuple[PolicyRule, ...] | None = None
    egress: tuple[PolicyRule, ...] | None = None

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as policies know it; ``ports`` are its container ports: name, protocol, number."""

    namespace: str
    name: str
    node: str
    addresses: tuple[str, ...]
    labels: Mapping[str, str] = field(default_factory=dict)
    ports: tuple[tuple[str, Protocol, int], ...] = ()
    host_network: bool = False


@dataclass(frozen=True, slots=True)
class Policed:
    """What policies depend on: they themselves, pods, and the labels of namespaces by name."""

    policies: tuple[NetworkPolicy, ...] = ()
    pods: tuple[Pod, ...] = ()
    namespaces: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    _about: dict[tuple[str, str], tuple[NetworkPolicy, ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _at: dict[str, Pod] = field(default_factory=dict, init=False, repr=False, compare=False)

    def pod_at(self, address: str) -> Pod | None:
        """The first pod of the pod network that has ``address``."""
        if self.pods and not self._at:
            inside = [p for p in self.pods if not p.host_network]
            self._at.update((a, p) for p in reversed(inside) for a in p.addresses)
        return self._at.get(address)

    def about(self, pod: Pod) -> tuple[NetworkPolicy, ...]:
        """The policies that select ``pod``."""
        key = pod.namespace, pod.name
        if key not in self._about:
            near = (p for p in self.policies if p.namespace == pod.namespace)
            self._about[key] = tuple(p for p in near if p.pods.matches(pod.labels))
        return self._about[key]
