"""NetworkPolicies, and what they are about, from the API's JSON; defaults are those of the API server."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from conformance.model.addresses import Protocol
from conformance.model.fields import Fields, Json
from conformance.model.network_policy import (
    IPBlock,
    LabelSelector,
    NetworkPolicy,
    Peer,
    Pod,
    Policed,
    PolicyPort,
    PolicyRule,
    Requirement,
)


def policed(policies: Iterable[Json], pods: Iterable[Json], namespaces: Iterable[Json]) -> Policed:
    """All of them; raises `MalformedObject`."""
    spaces = [Fields("a Namespace", each).part("metadata") for each in namespaces]
    return Policed(
        tuple(network_policy(each) for each in policies),
        tuple(pod(each) for each in pods),
        {meta.text("name"): meta.labels("labels") for meta in spaces},
    )


def network_policy(obj: Json) -> NetworkPolicy:
    """The NetworkPolicy in ``obj``; raises `MalformedObject`."""
    plain = Fields("a NetworkPolicy", obj)
    meta, spec = plain.part("metadata"), plain.part("spec")
    types = spec.texts("policyTypes") or (("Ingress", "Egress") if spec.parts("egress") else ("Ingress",))
    return NetworkPolicy(
        meta.text("namespace", "default"),
        meta.text("name"),
        _selector(spec.part("podSelector")),
        tuple(_rule(rule, "from") for rule in spec.parts("ingress")) if "Ingress" in types else None,
        tuple(_rule(rule, "to") for rule in spec.parts("egress")) if "Egress" in types else None,
    )


def pod(obj: Json) -> Pod:
    """The Pod in ``obj``; raises `MalformedObject`."""
    plain = Fields("a Pod", obj)
    meta, spec = plain.part("metadata"), plain.part("spec")
    return Pod(
        meta.text("namespace", "default"),
        meta.text("name"),
        spec.text("nodeName"),
        tuple(each.address("ip") for each in plain.part("status").parts("podIPs")),
        meta.labels("labels"),
        tuple(
            (port.text("name"), port.choice("protocol", Protocol, "TCP"), port.port("containerPort"))
            for container in _containers(spec)
            for port in container.parts("ports")
        ),
        spec.flag("hostNetwork") is True,
    )


def _containers(spec: Fields) -> Iterator[Fields]:
    yield from spec.parts("containers")
    yield from (each for each in spec.parts("initContainers") if each.text("restartPolicy") == "Always")


def _selector(selector: Fields) -> LabelSelector:
    pairs = selector.labels("matchLabels")
    return LabelSelector(
        (
            *(Requirement(key, "In", (value,)) for key, value in pairs.items()),
            *(
                Requirement(each.text("key"), each.text("operator"), each.texts("values"))
                for each in selector.parts("matchExpressions")
            ),
        )
    )


def _rule(rule: Fields, side: str) -> PolicyRule:
    return PolicyRule(tuple(map(_peer, rule.parts(side))), tuple(map(_port, rule.parts("ports"))))


def _peer(peer: Fields) -> Peer:
    block = peer.part("ipBlock")
    return Peer(
        _selector(peer.part("podSelector")) if peer.has("podSelector") else None,
        _selector(peer.part("namespaceSelector")) if peer.has("namespaceSelector") else None,
        IPBlock(block.text("cidr"), block.texts("except")) if peer.has("ipBlock") else None,
    )


def _port(port: Fields) -> PolicyPort:
    end = port.port("endPort") if port.has("endPort") else None
    return PolicyPort(
        port.choice("protocol", Protocol, "TCP"), port.target("port", 0) if port.has("port") else None, end
    )
