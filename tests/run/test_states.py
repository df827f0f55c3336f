"""What is read of nodes for a failing cell, from places that answer as a script says."""

from __future__ import annotations

from dataclasses import replace

from conformance.cluster.output import NOT_FOUND
from conformance.model.addresses import Family
from conformance.model.client import Client, ClientKind, Destination, DestinationKind
from conformance.model.cluster import ProxyMode
from conformance.model.outcome import Expectation, Reaches
from conformance.plan.cells import cells_of_case
from conformance.plan.landscape import Landscape
from conformance.results.lines import NodeState
from fixtures.held import Asked
from fixtures.sight import Sight
from fixtures.states import CONNTRACK, Reader, Seen
from suites.clusterip.cases import CASES
from tests.audit.recorded import state, text
from tests.run.test_nodes import Answer, place

SERVICE = next(s for s in state().services.values() if s.ports and Family.IPV4 in s.ip_families and s.cluster_ips)
PORT = SERVICE.ports[0]
TO = Destination(DestinationKind.CLUSTER_IP, SERVICE.cluster_ips[0], PORT.port, PORT.protocol, SERVICE.key, PORT.name)
ASKED = Asked(
    next(iter(cells_of_case(CASES[0], "clusterip"))),
    Client("pod-a", ClientKind.POD, "n1"),
    TO,
    Expectation(Reaches(frozenset()), ()),
)
LANDSCAPE = Landscape(("n1", "n2"), (Family.IPV4,))
ENTRY = f"{PORT.protocol.value.lower()} 6 9 src=10.244.1.4 dst={TO.ip} sport=5 dport={PORT.port} src=1 dst=2"


def read(answers: dict[str, Answer], one: Asked = ASKED, mode: ProxyMode = ProxyMode.NFTABLES) -> tuple[NodeState, str]:
    """What node n1 has, when kube-proxy's pod and the run's own both answer so."""
    both = place(answers)
    reader = Reader({"n1": Sight("n1", both, both, None)}, LANDSCAPE, mode)
    return reader.read(["n1"], one, Seen.of(one, state()))["n1"]


NFT, TRACKED = "nft -j list table ip kube-proxy", "conntrack -L -f ipv4"


def test_rules_and_entries_of_the_service_are_kept() -> None:
    found, lack = read({NFT: text("n1"), TRACKED: f"{ENTRY}\nudp 17 9 src=1 dst=10.9.9.9 dport=1\n"})
    assert (found.role, found.unread, lack) == ("a", (), "")
    assert found.conntrack == (ENTRY,)
    assert any(f"  {TO.ip} . " in line for line in found.rules)


def test_what_lacks_is_told_by_the_way() -> None:
    other = replace(ASKED, destination=replace(TO, port=1))
    _, lack = read({NFT: text("n1"), TRACKED: ""}, other)
    assert lack == f"no element of service-ips matches {TO.ip} . {PORT.protocol.value.lower()} . 1"


def test_the_kernels_own_file_stands_in_for_a_program_that_is_missing() -> None:
    found, _ = read({NFT: text("n1"), TRACKED: NOT_FOUND, f"cat -- {CONNTRACK}": f"ipv4 2 {ENTRY}\n"})
    assert found.conntrack == (f"ipv4 2 {ENTRY}",)


def test_what_cannot_be_read_is_told_and_the_rest_is_kept() -> None:
    found, lack = read({NFT: 139, TRACKED: NOT_FOUND, f"cat -- {CONNTRACK}": 1})
    assert (found.rules, found.conntrack, lack) == ((), (), "")
    rules, tracked = found.unread
    assert rules == "rules: nft failed (139): it said nothing"
    assert tracked.startswith(f"conntrack: 'cat -- {CONNTRACK}' failed (1)")
    garbled, _ = read({NFT: '{"nftables": [{"rule"', TRACKED: ""})
    assert garbled.unread[0].startswith("rules: ")


def test_iptables_mode_has_rules_of_its_own() -> None:
    line = f'-A KUBE-SERVICES -d {TO.ip} -m comment --comment "{SERVICE.key}:x cluster IP" -j KUBE-SVC-A'
    found, lack = read({"iptables-save": line, TRACKED: ""}, mode=ProxyMode.IPTABLES)
    assert (found.rules, lack) == ((line,), "")


def test_without_access_nothing_is_asked() -> None:
    found = Reader({}, LANDSCAPE, ProxyMode.NFTABLES).read(["n2"], ASKED, Seen.of(ASKED, state()))
    assert found == {"n2": (NodeState("n2", "b", unread=("its rules were not read: that takes --node-access",)), "")}


def test_a_cell_is_about_the_nodes_of_its_client_its_destination_and_its_endpoints() -> None:
    seen = Seen.of(replace(ASKED, destination=replace(TO, node="n9")), state())
    assert seen.service is SERVICE
    assert seen.nodes[:2] == ("n1", "n9")
    assert set(seen.homes.values()) <= set(seen.nodes)
    assert {ip for ip, _ in seen.endpoints} >= set(seen.homes)
