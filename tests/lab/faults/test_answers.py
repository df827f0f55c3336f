"""Each fault of the API server and of DNS is wrong while it is on, where it is on, and no longer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import dns.message
import dns.name
import dns.rcode
import pytest

from conformance.lab.dns.records import Zones
from conformance.lab.dns.resolver import respond
from conformance.lab.faults.answers import names, writes
from conformance.lab.faults.answers.registry import INJECTIONS
from conformance.lab.faults.answers.switches import Switches
from conformance.lab.faults.board import Board, Switch
from conformance.spec.faults import Fault, answers
from tests.lab.api.apiserver import Server, running

Json = dict[str, Any]
Ask = Callable[[Server], object]

ZONES = Zones(dns.name.from_text("cluster.local"))
PATH = "/api/v1/namespaces/default/services"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Board:
    made = Board(tmp_path_factory.mktemp("faults"))
    made.install()
    return made


@pytest.fixture(scope="module")
def server(board: Board, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("api"), "--faults", str(board.folder)) as one:
        yield one


@pytest.fixture(autouse=True)
def _all_off(board: Board) -> Iterator[None]:
    board.write(())
    yield
    board.write(())


def test_every_fault_of_the_catalogue_is_put_in_somewhere() -> None:
    assert set(INJECTIONS) == set(answers.DAMAGE)
    assert {f.__module__ for f in INJECTIONS.values()} >= {names.__name__, writes.__name__}


def test_a_switch_is_seen_at_once_and_only_by_its_service(board: Board) -> None:
    switches = Switches(board.folder)
    assert not switches.suffers(Fault.DNS_STALE, "n", "web")
    board.write([Switch("DNS_STALE", service="n/web")])
    assert switches.suffers(Fault.DNS_STALE, "n", "web")
    assert not switches.suffers(Fault.DNS_STALE, "n", "other")
    assert not switches.suffers(Fault.DNS_NO_ALIAS, "n", "web")
    board.write(())
    assert not switches.suffers(Fault.DNS_STALE, "n", "web")
    assert not Switches(None).suffers(Fault.DNS_STALE, "n", "web")
    assert not Switches(board.folder / "absent").suffers(Fault.DNS_STALE, "n", "web")


def _create(server: Server, name: str, metadata: Json | None = None, **spec: object) -> Json | int:
    made = server.create(
        PATH, {"metadata": {"name": name, **(metadata or {})}, "spec": {"ports": [{"port": 80}]} | spec}
    )
    return made.body if made.code == 201 else made.code


def _spec(found: Json | int) -> Json:
    assert isinstance(found, dict), found
    spec: Json = found["spec"]
    return spec


def _gone(server: Server, name: str) -> None:
    server.ask("DELETE", f"{PATH}/{name}")


def _clear(server: Server) -> None:
    """Delete what a test has made."""
    for each in server.ask("GET", PATH).body["items"]:
        name = each["metadata"]["name"]
        if name != "kubernetes":
            server.ask("PATCH", f"{PATH}/{name}", {"metadata": {"finalizers": None}}, patch="merge")
            _gone(server, name)


def _bad_port(server: Server) -> object:
    return isinstance(_create(server, "a", ports=[{"port": 65536}]), dict)


def _bad_name(server: Server) -> object:
    return isinstance(_create(server, "A.b"), dict)


def _external_ip(server: Server) -> object:
    return _create(server, "a", externalIPs=["192.0.2.1"])


def _digit(server: Server) -> object:
    return _create(server, "7a")


def _renumbered(server: Server) -> object:
    _create(server, "a")
    return server.change("a", ports=[{"port": 81}]).code


def _policy(server: Server) -> object:
    return _spec(_create(server, "a")).get("internalTrafficPolicy")


def _has_address(server: Server) -> object:
    return "clusterIP" in _spec(_create(server, "a"))


def _bare(server: Server) -> object:
    made = _create(server, "a", type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    return "nodePort" in _spec(made)["ports"][0]


def _twin(server: Server) -> object:
    address = _spec(_create(server, "a"))["clusterIP"]
    return isinstance(_create(server, "b", clusterIP=address), dict)


def _far_port(server: Server) -> object:
    return isinstance(_create(server, "a", type="NodePort", ports=[{"port": 80, "nodePort": 70}]), dict)


def _keeps_address(server: Server) -> object:
    before = _spec(_create(server, "a"))["clusterIP"]
    return server.change("a", ports=[{"port": 81}]).body["spec"]["clusterIP"] == before


def _moves(server: Server) -> object:
    _create(server, "a")
    return server.change("a", clusterIP="10.96.200.200", clusterIPs=["10.96.200.200"]).code


def _heir(server: Server) -> object:
    port = [{"port": 80, "nodePort": 30077}]
    _create(server, "a", type="NodePort", ports=port)
    _gone(server, "a")
    return isinstance(_create(server, "b", type="NodePort", ports=port), dict)


def _ip_object(server: Server) -> object:
    address = _spec(_create(server, "a"))["clusterIP"]
    _gone(server, "a")
    return server.get(f"/apis/networking.k8s.io/v1/ipaddresses/{address}").code


def _shed(server: Server) -> object:
    _create(server, "a", type="NodePort")
    return "nodePort" in server.change("a", type="ClusterIP").body["spec"]["ports"][0]


def _again(server: Server) -> object:
    _create(server, "a")
    return isinstance(_create(server, "a"), dict)


def _old_version(server: Server) -> object:
    stored = _create(server, "a")
    assert isinstance(stored, dict)
    server.change("a", ports=[{"port": 81}])
    return server.ask("PUT", f"{PATH}/a", stored).code


def _deleted(server: Server) -> object:
    _create(server, "a")
    server.ask("DELETE", f"{PATH}/a")
    return server.get(f"{PATH}/a").code


def _held(server: Server) -> object:
    _create(server, "a", {"finalizers": ["example.com/held"]})
    server.ask("DELETE", f"{PATH}/a")
    return server.get(f"{PATH}/a").code


def _tried(server: Server) -> object:
    body = {"metadata": {"name": "a"}, "spec": {"ports": [{"port": 80}]}}
    server.ask("POST", PATH, body, query={"dryRun": "All"})
    return server.get(f"{PATH}/a").code


def _reported(server: Server) -> object:
    body = {
        "metadata": {"name": "a"},
        "spec": {"type": "LoadBalancer", "ports": [{"port": 80}]},
        "status": {"loadBalancer": {"ingress": [{"ip": "192.0.2.9"}]}},
    }
    return server.create(PATH, body).body["status"]["loadBalancer"]


def _selected(server: Server) -> object:
    _create(server, "a", {"labels": {"run": "1", "case": "x"}})
    _create(server, "b", {"labels": {"run": "1"}})
    answer = server.ask("GET", PATH, query={"labelSelector": "run=1,case=x"})
    return [each["metadata"]["name"] for each in answer.body["items"]]


WRONGS: list[tuple[Fault, Ask]] = [
    (Fault.API_TAKES_INVALID, _bad_port),
    (Fault.API_TAKES_INVALID, _bad_name),
    (Fault.API_REFUSES_VALID, _external_ip),
    (Fault.API_REFUSES_VALID, _digit),
    (Fault.API_REFUSES_CHANGE, _renumbered),
    (Fault.API_DEFAULT_MISSING, _policy),
    (Fault.API_ALLOCATES_NOTHING, _has_address),
    (Fault.API_ALLOCATES_UNWANTED, _bare),
    (Fault.API_ALLOCATES_TWICE, _twin),
    (Fault.API_ALLOCATES_TWICE, _far_port),
    (Fault.API_ALLOCATES_ANEW, _keeps_address),
    (Fault.API_IMMUTABLE_CHANGES, _moves),
    (Fault.API_KEEPS_ALLOCATED, _heir),
    (Fault.API_KEEPS_ALLOCATED, _ip_object),
    (Fault.API_KEEPS_UNUSED, _shed),
    (Fault.API_OVERWRITES, _again),
    (Fault.API_OVERWRITES, _old_version),
    (Fault.API_DELETE_LOST, _deleted),
    (Fault.API_FINALIZER_IGNORED, _held),
    (Fault.API_DRY_RUN_STORED, _tried),
    (Fault.API_STATUS_WITH_SPEC, _reported),
    (Fault.API_SELECTOR_IGNORED, _selected),
]


def test_every_fault_of_the_api_server_is_tried() -> None:
    assert {fault for fault, _ in WRONGS} == {f for f, d in answers.DAMAGE.items() if d.site.name == "API"}


@pytest.mark.parametrize(("fault", "ask"), WRONGS, ids=[f"{fault.word}-{ask.__name__}" for fault, ask in WRONGS])
def test_the_api_server_is_wrong_while_the_fault_is_on(server: Server, board: Board, fault: Fault, ask: Ask) -> None:
    said = []
    for switches in ((), (Switch(fault.name),), (Switch(fault.name, service="elsewhere/x"),), ()):
        board.write(switches)
        said.append(_plain(ask(server)))
        board.write(())
        _clear(server)
    right, wrong, untouched, mended = said
    assert wrong != right
    assert untouched == mended == right


def _plain(said: object) -> object:
    """What can be compared: of an object only that it was made."""
    return "made" if isinstance(said, dict) and "metadata" in said else said


@pytest.fixture
def view(board: Board) -> names.FaultyView:
    made = names.FaultyView(Switches(board.folder))
    made.on_namespace("ADDED", {"metadata": {"name": "n"}})
    ports = [{"name": "http", "port": 80, "targetPort": 8080, "protocol": "TCP"}]
    ips = ["10.96.0.7", "fd00:96::7"]
    made.on_service("ADDED", _named("web", clusterIP=ips[0], clusterIPs=ips, ports=ports))
    made.on_service("ADDED", _named("went", clusterIP="10.96.0.8", clusterIPs=["10.96.0.8"], ports=ports))
    made.on_service("ADDED", _named("pets", clusterIP="None", clusterIPs=["None"]))
    made.on_service("ADDED", _named("out", type="ExternalName", externalName="www.example.com"))
    made.on_slice("ADDED", _slice("web-4", "web", [_endpoint("10.244.1.9")]))
    ready = [_endpoint("10.244.1.5", hostname="rex"), _endpoint("10.244.1.6")]
    unready = [
        _endpoint("10.244.1.7", ready=False, serving=False),
        _endpoint("10.244.1.8", ready=True, serving=False),
    ]
    made.on_slice("ADDED", _slice("pets-4", "pets", ready + unready))
    made.on_slice("ADDED", _slice("pets-6", "pets", [_endpoint("fd44:1::5")], "IPv6"))
    return made


def _named(name: str, **spec: object) -> Json:
    return {"metadata": {"name": name, "namespace": "n"}, "spec": {"type": "ClusterIP", **spec}}


def _slice(name: str, of: str, endpoints: list[Json], family: str = "IPv4") -> Json:
    return {
        "metadata": {"name": name, "namespace": "n", "labels": {"kubernetes.io/service-name": of}},
        "addressType": family,
        "ports": [{"name": "http", "port": 8080, "protocol": "TCP"}],
        "endpoints": endpoints,
    }


def _endpoint(address: str, hostname: str = "", *, ready: bool = True, serving: bool = True) -> Json:
    conditions = {"ready": ready, "serving": serving}
    return {"addresses": [address], "conditions": conditions} | ({"hostname": hostname} if hostname else {})


def _ask(view: names.FaultyView, name: str, kind: str) -> list[str]:
    response = respond(view, ZONES, dns.message.make_query(f"{name}.n.svc.cluster.local", kind))
    return sorted(str(rdata) for rrset in response.answer for rdata in rrset)


@pytest.mark.parametrize(
    ("fault", "name", "kind", "right", "wrong"),
    [
        (Fault.DNS_FAMILY_MISSING, "web", "AAAA", ["fd00:96::7"], []),
        (Fault.DNS_FAMILY_MISSING, "pets", "AAAA", ["fd44:1::5"], []),
        (
            Fault.DNS_ENDPOINT_MISSING,
            "pets",
            "A",
            ["10.244.1.5", "10.244.1.6", "10.244.1.8"],
            ["10.244.1.5", "10.244.1.6"],
        ),
        (Fault.DNS_ENDPOINTS_AS_ADDRESS, "web", "A", ["10.96.0.7"], ["10.244.1.9"]),
        (
            Fault.DNS_UNREADY_LISTED,
            "pets",
            "A",
            ["10.244.1.5", "10.244.1.6", "10.244.1.8"],
            ["10.244.1.5", "10.244.1.6", "10.244.1.7", "10.244.1.8"],
        ),
        (
            Fault.DNS_UNREADY_WITHHELD,
            "pets",
            "A",
            ["10.244.1.5", "10.244.1.6", "10.244.1.8"],
            ["10.244.1.5", "10.244.1.6"],
        ),
        (Fault.DNS_HOSTNAME_IGNORED, "rex.pets", "A", ["10.244.1.5"], []),
        (Fault.DNS_SRV_MISSING, "_http._tcp.web", "SRV", ["0 100 80 web.n.svc.cluster.local."], []),
        (
            Fault.DNS_SRV_WRONG_PORT,
            "_http._tcp.web",
            "SRV",
            ["0 100 80 web.n.svc.cluster.local."],
            ["0 100 8080 web.n.svc.cluster.local."],
        ),
        (Fault.DNS_NO_ALIAS, "out", "CNAME", ["www.example.com."], []),
        (Fault.DNS_NAME_INVENTED, "nobody", "A", [], ["192.0.2.253"]),
    ],
)
def test_dns_is_wrong_while_the_fault_is_on(
    view: names.FaultyView, board: Board, fault: Fault, name: str, kind: str, right: list[str], wrong: list[str]
) -> None:
    assert _ask(view, name, kind) == right
    board.write([Switch(fault.name)])
    assert _ask(view, name, kind) == wrong
    board.write([Switch(fault.name, service="n/unconcerned")])
    assert _ask(view, name, kind) == right
    board.write(())
    assert _ask(view, name, kind) == right


def test_stale_names_are_those_of_before_the_change_until_the_fault_is_off(
    view: names.FaultyView, board: Board
) -> None:
    board.write([Switch("DNS_STALE")])
    view.on_service("DELETED", _named("went"))
    view.on_service("MODIFIED", _named("web", type="ExternalName", externalName="x.example.com"))
    view.on_service("ADDED", _named("new", clusterIP="10.96.0.9"))
    assert (_ask(view, "went", "A"), _ask(view, "web", "A")) == (["10.96.0.8"], ["10.96.0.7"])
    assert _ask(view, "new", "A") == ["10.96.0.9"]
    board.write(())
    assert (_ask(view, "went", "A"), _ask(view, "web", "CNAME")) == ([], ["x.example.com."])
