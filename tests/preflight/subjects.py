"""A cluster of which everything is known and nothing stands in the way, to be changed in one point."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import DetectLocal, ProxyMode
from conformance.model.facts import Fact, Facts
from conformance.model.kube import Ingress, Node, Policy, Service, ServicePort, ServiceType
from conformance.preflight import Finding, Kind, Subject, findings
from conformance.spec.interplay import known
from fixtures.settings import known_issues

TODAY = date(2026, 12, 1)
NODES = ("n1", "n2")


def fact(value: Any) -> Fact[Any]:  # noqa: ANN401
    return Fact(value, "seen")


GOOD = Subject(
    facts=Facts(
        version=fact("v1.37.1"),
        nodes=fact(tuple(Node(name, (f"10.0.0.{i}",)) for i, name in enumerate(NODES, 1))),
        kubelets=fact(dict.fromkeys(NODES, "v1.37.1")),
        systems=fact(dict.fromkeys(NODES, "Debian GNU/Linux 13 (trixie)")),
        kernels=fact(dict.fromkeys(NODES, "6.12.48+deb13-amd64")),
        nft_versions=fact(dict.fromkeys(NODES, "1.0.6")),
        host_nft_versions=fact(dict.fromkeys(NODES, "1.1.1")),
        proxy_mode=fact(ProxyMode.IPTABLES),
        proxy_modes=fact(dict.fromkeys(NODES, "iptables")),
        configured_mode=fact(ProxyMode.IPTABLES),
        detect_local=fact(DetectLocal.CLUSTER_CIDR),
        node_port_addresses=fact(()),
        localhost_node_ports=fact(True),
        proxy_replacement=fact("none"),
        cni=fact("kindnet"),
        cni_version=fact("v20250512-df8de77b"),
        policy_engine=fact("kindnet"),
        node_local_dns=fact(False),
        local_addresses=fact(dict.fromkeys(NODES, ())),
    ),
    interplay=known(),
    today=TODAY,
    configuration=fact({"kind": "KubeProxyConfiguration", "mode": "iptables"}),
    proxy_versions=fact(("v1.37.1",)),
    services=fact(()),
    drops=dict.fromkeys(NODES, ()),
    known_issues=known_issues(),
)


def knowing(subject: Subject = GOOD, /, **facts: Any) -> Subject:  # noqa: ANN401
    """The subject with other facts; None for one that is unknown."""
    return replace(subject, facts=replace(subject.facts, **{name: fact(value) for name, value in facts.items()}))


def configured(subject: Subject = GOOD, **options: Any) -> Subject:  # noqa: ANN401
    """The subject with more options of kube-proxy's configuration."""
    return replace(subject, configuration=fact({"mode": "iptables", **options}))


def ipvs(**options: Any) -> Subject:  # noqa: ANN401
    """The same cluster in ipvs mode."""
    subject = knowing(
        proxy_mode=ProxyMode.IPVS, proxy_modes=dict.fromkeys(NODES, "ipvs"), configured_mode=ProxyMode.IPVS
    )
    return configured(subject, **{"mode": "ipvs", **options})


def serving(*services: Service, subject: Subject = GOOD) -> Subject:
    """The subject with these Services."""
    return replace(subject, services=fact(services))


def versioned(text: str, subject: Subject = GOOD) -> Subject:
    """The subject with another kube-proxy."""
    return replace(subject, proxy_versions=fact((text,)))


def service(name: str = "web", **changes: Any) -> Service:  # noqa: ANN401
    plain = Service(
        "default",
        name,
        ServiceType.CLUSTER_IP,
        (ServicePort("http", Protocol.TCP, 80, 8080),),
        cluster_ips=("10.96.0.7",),
        ip_families=(Family.IPV4,),
    )
    return replace(plain, **changes)


NODE_PORT = service(type=ServiceType.NODE_PORT, ports=(ServicePort("http", Protocol.TCP, 80, 8080, 30080),))
LOCAL = service(
    "local",
    type=ServiceType.LOAD_BALANCER,
    external_policy=Policy.LOCAL,
    health_check_node_port=32000,
    ingress=(Ingress("203.0.113.9"),),
)
UDP = service("dns", ports=(ServicePort("dns", Protocol.UDP, 53, 53),))


def of(kind: Kind, subject: Subject) -> list[Finding]:
    """The findings of one kind."""
    return [f for f in findings(subject) if f.kind is kind]
