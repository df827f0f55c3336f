"""Random stories: a handful of Services edited again and again, each time asked from two clients."""

from __future__ import annotations

from random import Random

from conformance.model.addresses import Protocol
from conformance.model.case import (
    DestinationRef,
    IngressSpec,
    PortSpec,
    ServiceSpec,
    Step,
    ask,
    becomes,
    cluster_ip,
    dial,
    external_ip,
    host,
    load_balancer,
    node_port,
    on,
    pod,
    service,
)
from conformance.model.kube import Policy, ServiceType

Phase = tuple[ServiceSpec, ...]

_TYPES = (ServiceType.CLUSTER_IP, ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER)
_CLIENTS = (pod("a"), host("b"))
_NUMBERS = (80, 80, 81)
_THERE = 0.8
_OFTEN, _SELDOM = 0.4, 0.25


def story(seed: int, prefix: str, *, services: int, phases: int) -> tuple[Phase, tuple[Step, ...]]:
    """What is given at first, and the steps; the same ``seed`` always makes the same story.

    The oracle alone says what must follow: nobody writes down what random edits lead to.
    """
    random = Random(seed)
    names = [f"{prefix}-{number}" for number in range(1, services + 1)]
    every = [_phase(random, names) for _ in range(phases)]
    steps: list[Step] = []
    known: set[str] = set()
    for number, phase in enumerate(every):
        steps += [becomes(*phase)] if number else []
        known |= {spec.name for spec in phase}
        steps += _questions(number, phase, sorted(known))
    return every[0], tuple(steps)


def _phase(random: Random, names: list[str]) -> Phase:
    return tuple(_spec(random, name) for name in names if random.random() < _THERE) or (_spec(random, names[0]),)


def _spec(random: Random, name: str) -> ServiceSpec:
    kind = random.choice(_TYPES)
    number = random.choice(_NUMBERS)
    reachable = random.random() < _SELDOM
    local = random.random() < _OFTEN and (reachable or kind is not ServiceType.CLUSTER_IP)
    return service(
        kind,
        called=name,
        endpoints=on(*random.sample("abc", random.randint(0, 3))),
        ports=(PortSpec("tcp", Protocol.TCP, number), PortSpec("udp", Protocol.UDP, number)),
        internal_policy=random.choice((Policy.CLUSTER, Policy.CLUSTER, Policy.LOCAL)),
        external_policy=Policy.LOCAL if local else Policy.CLUSTER,
        affinity=random.random() < _SELDOM,
        external_ip=reachable,
        ingress=(IngressSpec(),) if kind is ServiceType.LOAD_BALANCER else None,
    )


def _questions(number: int, phase: Phase, known: list[str]) -> list[Step]:
    """Every address that a Service has is dialled, and the ClusterIP of one that is gone."""
    there = {spec.name: spec for spec in phase}
    return [
        ask(f"{number + 1}.{name}.{where.label}.{client.label}", dial(where, client=client))
        for name in known
        for where in _addresses(name, there.get(name))
        for client in _CLIENTS
    ]


def _addresses(name: str, spec: ServiceSpec | None) -> list[DestinationRef]:
    found = [cluster_ip(name)]
    if spec is None:
        return found
    if spec.type is not ServiceType.CLUSTER_IP:
        found.append(node_port("c", name))
    if spec.type is ServiceType.LOAD_BALANCER:
        found.append(load_balancer(name))
    if spec.external_ip:
        found.append(external_ip(name))
    return found
