"""EndpointSlices and Endpoints: what is filled in and refused."""

from __future__ import annotations

import pytest

from tests.lab.api.apiserver import Json, Server

PATH = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices"


def a_slice(name: str, **fields: object) -> Json:
    return {"metadata": {"name": name}, "addressType": "IPv4", "endpoints": [], "ports": [], **fields}


def endpoint(*addresses: str, **fields: object) -> Json:
    return {"addresses": list(addresses), **fields}


def test_ports_get_name_and_protocol(server: Server) -> None:
    made = server.made(PATH, a_slice("filled", ports=[{"port": 80}], endpoints=[endpoint("10.0.0.1")]))
    assert made["ports"] == [{"name": "", "port": 80, "protocol": "TCP"}]
    assert made["endpoints"] == [{"addresses": ["10.0.0.1"]}]
    assert made["metadata"]["generation"] == 1
    body = {"endpoints": [endpoint("10.0.0.2")]}
    assert server.ask("PATCH", f"{PATH}/filled", body, patch="merge").body["metadata"]["generation"] == 2
    labelled = server.ask("PATCH", f"{PATH}/filled", {"metadata": {"labels": {"a": "b"}}}, patch="merge").body
    assert labelled["metadata"]["generation"] == 2


def test_the_address_type_stays(server: Server) -> None:
    server.made(PATH, a_slice("typed"))
    answer = server.ask("PATCH", f"{PATH}/typed", {"addressType": "IPv6"}, patch="merge")
    assert answer.causes["addressType"] == 'Invalid value: "IPv6": field is immutable'


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ({"addressType": ""}, "addressType", "Required value"),
        ({"addressType": "IP"}, "addressType", 'supported values: "FQDN", "IPv4", "IPv6"'),
        ({"endpoints": [endpoint()]}, "endpoints[0].addresses", "must contain at least 1 address"),
        ({"endpoints": [endpoint("127.0.0.1")]}, "endpoints[0].addresses[0]", "may not be in the loopback range"),
        ({"endpoints": [endpoint("169.254.1.1")]}, "endpoints[0].addresses[0]", "may not be in the link-local range"),
        ({"endpoints": [endpoint("224.0.0.9")]}, "endpoints[0].addresses[0]", "may not be in the link-local multicast"),
        ({"endpoints": [endpoint("fd00::1")]}, "endpoints[0].addresses", "must be an IPv4 address"),
        (
            {"addressType": "IPv6", "endpoints": [endpoint("FD00::1")]},
            "endpoints[0].addresses[0]",
            'must be in canonical form ("fd00::1")',
        ),
        ({"endpoints": [endpoint("10.0.0.1", hostname="a.b")]}, "endpoints[0].hostname", "a lowercase RFC 1123 label"),
        ({"ports": [{"port": 1}, {"port": 2}]}, "ports[1].name", 'Duplicate value: ""'),
        ({"ports": [{"protocol": "X"}]}, "ports[0].protocol", "Unsupported value"),
    ],
)
def test_a_bad_slice_is_refused_with_the_field(server: Server, fields: Json, field: str, words: str) -> None:
    answer = server.create(PATH, a_slice("bad", **fields))
    assert answer.code == 422
    assert words in answer.causes[field]


def test_a_slice_holds_a_thousand_endpoints(server: Server) -> None:
    many = [endpoint(f"10.1.{index // 250}.{index % 250 + 1}") for index in range(1001)]
    answer = server.create(PATH, a_slice("many", endpoints=many))
    assert answer.causes["endpoints"] == "Too many: 1001: must have at most 1000 items"
    assert server.create(PATH, a_slice("many", endpoints=many[:1000])).code == 201


def test_endpoints_are_served_and_deprecated(server: Server) -> None:
    body = {"metadata": {"name": "old"}, "subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]}
    answer = server.create("/api/v1/namespaces/default/endpoints", body)
    assert answer.code == 201
    assert "v1 Endpoints is deprecated in v1.33+" in answer.warnings[0]
    assert answer.body["subsets"][0]["ports"] == [{"port": 80, "protocol": "TCP"}]
