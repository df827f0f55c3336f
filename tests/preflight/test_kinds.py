"""Every kind of finding: an input that has it, and one that has not."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from conformance.model.addresses import Family, Protocol
from conformance.model.cluster import DetectLocal, ProxyMode
from conformance.model.facts import GIVEN, Fact
from conformance.model.kube import Node, ServicePort, ServiceType
from conformance.preflight import RULES, Finding, Kind, Scope, Severity, Subject, accepted, findings
from tests.preflight.subjects import (
    GOOD,
    LOCAL,
    NODE_PORT,
    NODES,
    UDP,
    configured,
    fact,
    ipvs,
    knowing,
    of,
    service,
    serving,
    versioned,
)

REPLACED = replace(knowing(proxy_replacement="cilium", cni="cilium"), proxy_versions=fact(None))
NFTABLES = knowing(proxy_mode=ProxyMode.NFTABLES, proxy_modes=dict.fromkeys(NODES, "nftables"),
                   configured_mode=ProxyMode.NFTABLES)  # fmt: skip
UNTOLD = knowing(proxy_mode=None, proxy_modes=None, configured_mode=None)
MIXED = knowing(proxy_modes={"n1": "nftables", "n2": "iptables"})
WINDOWS = knowing(systems={"n1": "Debian", "n2": "Windows Server 2022 Datacenter"})
LONG = service("s" * 63, namespace="n" * 63)
AFFINE = service(affinity_seconds=10800)

HAVE: dict[Kind, tuple[Subject, Subject, Severity, str]] = {
    Kind.REPLACED: (REPLACED, GOOD, Severity.NOTE, "cilium serves"),
    Kind.REPLACED_BESIDE: (knowing(proxy_replacement="antrea"), REPLACED, Severity.WARNING, "v1.37.1 runs"),
    Kind.MODE_UNKNOWN: (UNTOLD, GOOD, Severity.UNKNOWN, "not known"),
    Kind.ALREADY: (NFTABLES, GOOD, Severity.NOTE, "nftables"),
    Kind.MIXED_MODES: (MIXED, GOOD, Severity.NOTE, "n1 nftables, n2 iptables"),
    Kind.NOT_TAKEN_UP: (
        knowing(configured_mode=ProxyMode.NFTABLES), GOOD, Severity.WARNING, "runs in iptables, and is told nftables"
    ),
    Kind.MODE_BY_DEFAULT: (configured(mode=""), GOOD, Severity.NOTE, "mode is not set"),
    Kind.VERSION_TOO_OLD: (versioned("v1.30.9"), versioned("v1.31.0"), Severity.BLOCKER, "v1.30.9"),
    Kind.VERSION_BETA: (versioned("v1.32.9"), versioned("v1.33.0"), Severity.WARNING, "v1.32.9"),
    Kind.VERSION_UNKNOWN: (
        replace(knowing(version=None), proxy_versions=fact(())), replace(GOOD, proxy_versions=fact(())),
        Severity.UNKNOWN, "not known",
    ),
    Kind.IPVS_DEPRECATED: (ipvs(), versioned("v1.34.0", ipvs()), Severity.NOTE, "v1.37.1"),
    Kind.NODES_UNKNOWN: (
        knowing(nodes=None, kernels=None, kubelets=None, systems=None), knowing(nodes=None), Severity.UNKNOWN, "no node"
    ),
    Kind.WINDOWS: (WINDOWS, GOOD, Severity.NOTE, "Windows Server 2022"),
    Kind.KERNEL_TOO_OLD: (
        knowing(kernels={"n1": "5.12.19", "n2": "6.1.0"}), knowing(kernels={"n1": "5.13.0-rc1", "n2": "6.1.0"}),
        Severity.BLOCKER, "kernel 5.12.19",
    ),
    Kind.KERNEL_UNKNOWN: (knowing(kernels={"n2": "6.1.0"}), GOOD, Severity.UNKNOWN, "not known"),
    Kind.CONNTRACK_INVALID: (
        knowing(kernels={"n1": "5.15.0-126-generic", "n2": "6.1.0"}),
        configured(knowing(kernels={"n1": "5.15.0-126-generic", "n2": "6.1.0"}), conntrack={"tcpBeLiberal": True}),
        Severity.WARNING, "kernel 5.15.0-126-generic",
    ),
    Kind.NFT_TOO_OLD: (
        knowing(host_nft_versions={"n1": "0.9.8", "n2": "1.0.1"}), GOOD, Severity.WARNING, "the node's nft is 0.9.8"
    ),
    Kind.NFT_UNKNOWN: (
        knowing(nft_versions={"n2": "1.0.6.1"}), GOOD, Severity.UNKNOWN, "the version of kube-proxy's nft"
    ),
    Kind.FIREWALL_DROPS: (
        replace(GOOD, drops={"n1": ("chain ip filter FORWARD",), "n2": ()}), GOOD, Severity.WARNING, "FORWARD"
    ),
    Kind.FIREWALL_UNKNOWN: (replace(GOOD, drops={"n2": ()}), GOOD, Severity.UNKNOWN, "not known"),
    Kind.COMPONENT: (
        knowing(cni="aws-vpc-cni", cni_version="v1.20.1-eksbuild.1"), knowing(cni="aws-vpc-cni", cni_version="v1.23.0"),
        Severity.BLOCKER, "v1.20.1-eksbuild.1",
    ),
    Kind.COMPONENT_UNKNOWN: (knowing(cni="romana", policy_engine="romana"), GOOD, Severity.UNKNOWN, "romana"),
    Kind.BUG: (
        versioned("v1.34.2", knowing(detect_local=DetectLocal.INTERFACE_NAME_PREFIX)),
        versioned("v1.35.0", knowing(detect_local=DetectLocal.INTERFACE_NAME_PREFIX)),
        Severity.BLOCKER, "InterfaceNamePrefix",
    ),
    Kind.KNOWN_ISSUE: (versioned("v1.36.2", serving(LONG)), versioned("v1.37.0", serving(LONG)),
                       Severity.WARNING, "128"),
    Kind.CONFIGURATION_UNKNOWN: (replace(GOOD, configuration=fact(None)), GOOD, Severity.UNKNOWN, "not known"),
    Kind.OPTION_IGNORED: (
        configured(iptables={"masqueradeBit": 15}),
        configured(iptables={"masqueradeBit": 15}, nftables={"masqueradeBit": 15}),
        Severity.WARNING, "iptables.masqueradeBit is 15, nftables.masqueradeBit is 14",
    ),
    Kind.IPVS_SCHEDULER: (
        ipvs(ipvs={"scheduler": "lc"}), ipvs(ipvs={"scheduler": "rr"}), Severity.WARNING, "scheduler is lc"
    ),
    Kind.IPVS_CONNECTIONS: (ipvs(), GOOD, Severity.WARNING, "ipvs"),
    Kind.IPVS_ADDRESSES: (serving(LOCAL, subject=ipvs()), serving(LOCAL), Severity.WARNING, "203.0.113.9"),
    Kind.SERVICES_UNKNOWN: (replace(GOOD, services=fact(None)), GOOD, Severity.UNKNOWN, "not known"),
    Kind.SERVICE_UNREADABLE: (
        replace(GOOD, unreadable={"default/odd": "its port is 'x'"}), GOOD, Severity.UNKNOWN, "its port is 'x'"
    ),
    Kind.NODE_PORT_LOCALHOST: (
        serving(NODE_PORT), serving(NODE_PORT, subject=knowing(localhost_node_ports=False)),
        Severity.WARNING, "30080/TCP on 127.0.0.1",
    ),
    Kind.NODE_PORT_ADDRESSES: (
        serving(NODE_PORT, subject=knowing(nodes=(Node("n1", ("10.0.0.1", "192.168.7.1")),))), serving(NODE_PORT),
        Severity.WARNING, "n1 192.168.7.1",
    ),
    Kind.HEALTH_CHECK_NODE_PORT: (serving(LOCAL), serving(NODE_PORT), Severity.WARNING, "32000"),
    Kind.AFFINITY: (serving(AFFINE), serving(NODE_PORT), Severity.NOTE, "10800 s"),
    Kind.AFFINITY_MEMORY: (serving(AFFINE), serving(NODE_PORT), Severity.NOTE, "2 MiB on every node"),
    Kind.CLUSTER_IP_REJECTS: (GOOD, NFTABLES, Severity.NOTE, "from iptables"),
    Kind.LEFTOVERS: (GOOD, NFTABLES, Severity.NOTE, "from iptables"),
    Kind.NOT_REPAIRED: (GOOD, NFTABLES, Severity.NOTE, "from iptables"),
    Kind.CHAINS: (GOOD, NFTABLES, Severity.NOTE, "from iptables"),
}  # fmt: skip


@pytest.mark.parametrize("kind", Kind, ids=lambda k: k.value)
def test_a_kind(kind: Kind) -> None:
    there, not_there, severity, words = HAVE[kind]
    (finding,) = of(kind, there)
    assert (finding.severity, words in finding.evidence) == (severity, True), finding.evidence
    assert not of(kind, not_there)
    assert RULES[kind].means


def test_nothing_stands_in_the_way() -> None:
    """What is told of every switch, and nothing else."""
    assert {f.severity for f in findings(GOOD)} == {Severity.NOTE}
    assert {f.kind for f in findings(GOOD)} == {Kind.CLUSTER_IP_REJECTS, Kind.LEFTOVERS, Kind.NOT_REPAIRED, Kind.CHAINS}


def test_what_is_served_by_something_else_is_asked_nothing_more() -> None:
    (finding,) = findings(REPLACED)
    assert finding.kind is Kind.REPLACED


def test_a_switch_that_is_done_tells_of_no_difference() -> None:
    told = findings(serving(NODE_PORT, LOCAL, AFFINE, subject=replace(NFTABLES, drops={})))
    assert [f.kind for f in told] == [Kind.ALREADY]


def test_in_mixed_modes_a_node_that_is_there_needs_no_firewall() -> None:
    (finding,) = of(Kind.FIREWALL_UNKNOWN, replace(MIXED, drops={}))
    assert (finding.scope, finding.object) == (Scope.NODE, "n2")
    (there,) = of(Kind.ALREADY, MIXED)
    assert there.object == "n1"


def test_of_an_unknown_mode_both_are_told_and_neither_is_certain() -> None:
    """The findings that follow from the mode weigh no more than unknown."""
    subject = serving(NODE_PORT, LOCAL, subject=UNTOLD)
    told = {f.kind: f for f in findings(subject)}
    for kind in (Kind.NODE_PORT_LOCALHOST, Kind.IPVS_ADDRESSES):
        assert told[kind].severity is Severity.UNKNOWN
    assert Kind.IPVS_CONNECTIONS not in told


def test_windows_nodes_are_asked_for_nothing_of_linux() -> None:
    assert {f.kind for f in findings(replace(WINDOWS, drops={"n1": ()})) if f.object == "n2"} == {Kind.WINDOWS}
    labelled = Node("n2", ("10.0.0.2",), labels={"kubernetes.io/os": "windows"})
    assert [f.object for f in of(Kind.WINDOWS, knowing(nodes=(labelled,), systems=None))] == ["n2"]


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [(("10.0.0.0/8",), 0), (("primary",), 0), (("127.0.0.0/8",), 1), (("0.0.0.0/0",), 1), ((), 1)],
)
def test_local_node_ports_follow_node_port_addresses(addresses: tuple[str, ...], expected: int) -> None:
    subject = serving(NODE_PORT, subject=knowing(node_port_addresses=addresses))
    assert len(of(Kind.NODE_PORT_LOCALHOST, subject)) == expected


def test_ipvs_and_ipv6_have_no_local_node_ports() -> None:
    ipv6 = replace(NODE_PORT, cluster_ips=("fd00::7",), ip_families=(Family.IPV6,))
    assert not of(Kind.NODE_PORT_LOCALHOST, serving(ipv6))
    assert not of(Kind.NODE_PORT_LOCALHOST, serving(NODE_PORT, subject=ipvs()))


def test_where_addresses_of_nodes_are_not_known_a_node_port_is_uncertain() -> None:
    (finding,) = of(Kind.NODE_PORT_ADDRESSES, serving(NODE_PORT, subject=knowing(local_addresses=None)))
    assert finding.severity is Severity.UNKNOWN
    (finding,) = of(Kind.NODE_PORT_ADDRESSES, serving(NODE_PORT, subject=knowing(node_port_addresses=None)))
    assert finding.severity is Severity.UNKNOWN
    assert not of(Kind.NODE_PORT_ADDRESSES, serving(NODE_PORT, subject=knowing(node_port_addresses=("primary",))))


def test_services_that_kube_proxy_leaves_alone_are_not_found() -> None:
    others = (
        replace(NODE_PORT, labels={"service.kubernetes.io/service-proxy-name": "other"}),
        replace(AFFINE, cluster_ips=("None",)),
        service("else", type=ServiceType.EXTERNAL_NAME, cluster_ips=()),
    )
    assert {f.scope for f in findings(serving(*others))} == {Scope.CLUSTER}


def test_known_issues_of_every_mode_are_notes_and_those_that_lapsed_unknown() -> None:
    subject = versioned("v1.36.2", serving(UDP))
    assert {(f.object, f.severity) for f in of(Kind.KNOWN_ISSUE, subject)} == {("default/dns", Severity.NOTE)}
    lapsed = replace(subject, today=date(2029, 1, 1))
    assert {f.severity for f in of(Kind.KNOWN_ISSUE, lapsed)} == {Severity.UNKNOWN}


def test_a_bug_is_of_the_services_that_meet_it() -> None:
    subject = versioned("v1.33.5", serving(LOCAL, NODE_PORT))
    met = [f for f in of(Kind.KNOWN_ISSUE, subject) if "131765" in f.source.url]
    assert [(f.scope, f.object, f.severity) for f in met] == [(Scope.SERVICE, "default/local", Severity.WARNING)]
    assert not [f for f in of(Kind.KNOWN_ISSUE, versioned("v1.33.6", subject)) if "131765" in f.source.url]


def test_a_name_is_too_long_by_its_bytes() -> None:
    def named(length: int) -> Subject:
        return versioned("v1.36.2", serving(service("s" * (length - len("default/:http")))))

    assert [len(of(Kind.KNOWN_ISSUE, named(length))) for length in (128, 129)] == [0, 1]


def test_a_bug_of_nodes() -> None:
    (finding,) = of(Kind.BUG, knowing(host_nft_versions={"n1": "1.1.3", "n2": "1.1.1"}))
    assert (finding.scope, finding.object, finding.severity) == (Scope.NODE, "n1", Severity.WARNING)
    for mended in ("1.0.6.1", "1.1.3"):
        both = knowing(host_nft_versions={"n1": "1.1.3", "n2": "1.1.1"}, nft_versions={"n1": mended, "n2": "1.0.6"})
        assert not of(Kind.BUG, both)


def test_kube_proxy_does_not_start_with_an_old_nft() -> None:
    (finding,) = of(Kind.NFT_TOO_OLD, knowing(nft_versions={"n1": "0.9.8", "n2": "1.0.6"}))
    assert (finding.object, finding.severity) == ("n1", Severity.BLOCKER)


def test_a_bug_of_many_services(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.preflight.bugs.MANY_SERVICES", 20)
    many = tuple(service(f"s{i}") for i in range(20))
    (finding,) = of(Kind.BUG, versioned("v1.36.2", serving(*many)))
    assert "20 Services" in finding.evidence
    assert not of(Kind.BUG, versioned("v1.36.2", serving(*many[1:])))


@pytest.mark.parametrize(
    ("facts", "severity"),
    [
        ({"cni": "calico", "cni_version": "v3.30.4", "cni_dataplane": "nftables"}, None),
        ({"cni": "calico", "cni_version": "v3.30.4", "cni_dataplane": "iptables"}, Severity.BLOCKER),
        ({"cni": "calico", "cni_version": "v3.30.4", "cni_dataplane": None}, Severity.UNKNOWN),
        ({"cni": "calico", "cni_version": "v3.28.9", "cni_dataplane": None}, Severity.BLOCKER),
        ({"cni": "calico", "cni_version": None, "cni_dataplane": "nftables"}, Severity.UNKNOWN),
        ({"cni": "calico", "cni_version": None, "cni_dataplane": "iptables"}, Severity.BLOCKER),
        ({"cni": "flannel", "cni_version": None, "cni_dataplane": "iptables, vxlan"}, Severity.WARNING),
        ({"cni": "weave"}, Severity.WARNING),
        ({"cni": "kube-ovn"}, Severity.UNKNOWN),
        ({"policy_engine": "azure-npm"}, Severity.WARNING),
        ({"node_local_dns": True}, Severity.WARNING),
        ({"systems": {"n1": "Talos (v1.7.4)", "n2": "Talos (v1.8.0)"}}, Severity.BLOCKER),
    ],
    ids=str,
)
def test_components(facts: dict[str, Any], severity: Severity | None) -> None:
    told = of(Kind.COMPONENT, knowing(**facts))
    assert [f.severity for f in told] == ([severity] if severity else [])


def test_each_of_several_plugins_is_judged_by_its_own_version() -> None:
    both: dict[str, Any] = {"cni": "aws-vpc-cni + calico", "cni_version": "aws-vpc-cni v1.23.1 + calico v3.28.0",
            "cni_dataplane": "calico: iptables"}  # fmt: skip
    (finding,) = of(Kind.COMPONENT, knowing(**both))
    assert finding.evidence.startswith("calico, v3.28.0")


def test_what_nobody_has_looked_at_for_long_is_not_believed() -> None:
    (finding,) = of(Kind.COMPONENT, replace(GOOD, today=date(2030, 1, 1)))
    assert finding.severity is Severity.UNKNOWN
    assert "as of 2026-11-27" in finding.evidence


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (configured(iptables={"masqueradeAll": True}), ["iptables.masqueradeAll"]),
        (configured(iptables={"masqueradeAll": True}, nftables={"masqueradeAll": True}), []),
        (configured(iptables={"syncPeriod": "30s", "minSyncPeriod": "0s", "masqueradeBit": 14}), []),
        (configured(iptables={"minSyncPeriod": "10s"}), ["iptables.minSyncPeriod"]),
        (configured(ipvs={"strictARP": True, "tcpTimeout": "5s"}), []),
        (ipvs(ipvs={"strictARP": True, "tcpTimeout": "5s", "udpTimeout": "0s"}), ["ipvs.strictARP", "ipvs.tcpTimeout"]),
        (ipvs(ipvs={"excludeCIDRs": ["10.1.0.0/16"]}), ["ipvs.excludeCIDRs"]),
        (ipvs(ipvs={"excludeCIDRs": []}, iptables=None), []),
    ],
    ids=str,
)
def test_options_that_are_lost(subject: Subject, expected: list[str]) -> None:
    assert sorted(f.object for f in of(Kind.OPTION_IGNORED, subject)) == expected


def test_what_an_unknown_configuration_may_hold_is_not_guessed() -> None:
    old = replace(knowing(kernels={"n1": "5.15.0", "n2": "6.1.0"}), configuration=fact(None))
    (finding,) = of(Kind.CONNTRACK_INVALID, old)
    assert (finding.severity, "not known" in finding.evidence) == (Severity.UNKNOWN, True)


def test_a_version_that_the_user_says_is_the_one_that_is_looked_at() -> None:
    old = versioned("v1.30.1")
    planned = replace(old, facts=replace(old.facts, version=Fact("v1.37.0", GIVEN)))
    assert of(Kind.VERSION_TOO_OLD, old)
    assert not of(Kind.VERSION_TOO_OLD, planned)


def test_what_is_accepted_is_a_note_unless_it_blocks() -> None:
    def after(finding: Finding) -> Severity:
        return accepted(finding, frozenset(Kind)).severity

    (blocker,) = of(Kind.KERNEL_TOO_OLD, knowing(kernels={"n1": "5.4.0", "n2": "6.1.0"}))
    (warning,) = of(Kind.NODE_PORT_LOCALHOST, serving(NODE_PORT))
    assert (after(blocker), after(warning)) == (Severity.BLOCKER, Severity.NOTE)
    assert accepted(warning, frozenset({Kind.AFFINITY})) == warning


def test_memory_for_affinity_counts_ports_and_families_and_is_a_warning_when_it_is_much() -> None:
    ports = tuple(ServicePort(f"p{n}", Protocol.TCP, 80 + n, 8080) for n in range(32))
    both = {"cluster_ips": ("10.96.0.7", "fd00:96::7"), "ip_families": (Family.IPV4, Family.IPV6)}
    one, other = (service(name, affinity_seconds=60, ports=ports, **both) for name in ("one", "other"))
    (note,) = of(Kind.AFFINITY_MEMORY, serving(one))
    (warning,) = of(Kind.AFFINITY_MEMORY, serving(one, other))
    assert (note.severity, warning.severity) == (Severity.NOTE, Severity.WARNING)
    assert "1 Service with session affinity: 128 MiB" in note.evidence
    assert "2 Services with session affinity: 256 MiB" in warning.evidence
