"""Services: what the API fills in, allocates, keeps and refuses; words as of Kubernetes 1.36."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from tests.lab.api.apiserver import Json, Server, running

ONCE = "may not change once set"


def made(server: Server, name: str, **spec: object) -> Json:
    answer = server.service(name, **spec)
    assert answer.code == 201, answer.body
    found: Json = answer.body["spec"]
    return found


def changed(server: Server, name: str, **spec: object) -> Json:
    answer = server.change(name, **spec)
    assert answer.code == 200, answer.body
    found: Json = answer.body["spec"]
    return found


def test_the_plainest_service_gets_every_default(server: Server) -> None:
    spec = made(server, "plain")
    address = spec.pop("clusterIP")
    assert ip_address(address) in ip_network("10.96.0.0/16")
    assert spec == {
        "clusterIPs": [address],
        "internalTrafficPolicy": "Cluster",
        "ipFamilies": ["IPv4"],
        "ipFamilyPolicy": "SingleStack",
        "ports": [{"port": 80, "protocol": "TCP", "targetPort": 80}],
        "sessionAffinity": "None",
        "type": "ClusterIP",
    }


def test_each_type_gets_what_it_needs(server: Server) -> None:
    node_port = made(server, "np", type="NodePort")
    assert 30000 <= node_port["ports"][0]["nodePort"] <= 32767
    assert node_port["externalTrafficPolicy"] == "Cluster"
    balanced = made(server, "lb", type="LoadBalancer", externalTrafficPolicy="Local")
    assert balanced["allocateLoadBalancerNodePorts"] is True
    assert balanced["healthCheckNodePort"] != balanced["ports"][0]["nodePort"]
    bare = made(server, "lb-bare", type="LoadBalancer", allocateLoadBalancerNodePorts=False)
    assert "nodePort" not in bare["ports"][0]
    alias = made(server, "alias", type="ExternalName", externalName="example.com", ports=[])
    assert "clusterIP" not in alias and "internalTrafficPolicy" not in alias
    headless = made(server, "headless", clusterIP="None", ports=[])
    assert headless["clusterIPs"] == ["None"] and headless["ipFamilyPolicy"] == "RequireDualStack"
    external = made(server, "ext", externalIPs=["198.51.100.1"])
    assert external["externalTrafficPolicy"] == "Cluster"
    sticky = made(server, "sticky", sessionAffinity="ClientIP")
    assert sticky["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 10800}}


def test_families(server: Server) -> None:
    both = made(server, "both", ipFamilyPolicy="PreferDualStack")
    assert both["ipFamilies"] == ["IPv4", "IPv6"] and ":" in both["clusterIPs"][1]
    six = made(server, "six", ipFamilies=["IPv6"])
    assert six["clusterIPs"] == [six["clusterIP"]] and ":" in six["clusterIP"]
    turned = made(server, "turned", ipFamilyPolicy="RequireDualStack", ipFamilies=["IPv6", "IPv4"])
    assert turned["ipFamilies"] == ["IPv6", "IPv4"] and ":" in turned["clusterIP"]
    refused = server.service("two", ipFamilies=["IPv4", "IPv6"], ipFamilyPolicy="SingleStack")
    assert refused.causes["spec.ipFamilyPolicy"].endswith("when multiple IP families are specified")
    down = changed(server, "both", ipFamilyPolicy="SingleStack")
    assert down["clusterIPs"] == both["clusterIPs"][:1] and down["ipFamilies"] == ["IPv4"]
    up = changed(server, "both", ipFamilyPolicy="RequireDualStack")
    assert up["clusterIPs"][0] == both["clusterIPs"][0] and len(up["clusterIPs"]) == 2
    lost = server.change("both", ipFamilies=["IPv4"])
    assert lost.causes["spec.ipFamilyPolicy"].endswith("must be 'SingleStack' to release the secondary IP family")


def test_cluster_ips_are_taken_kept_and_given_back(server: Server) -> None:
    made(server, "asked", clusterIP="10.96.0.77")
    again = server.service("asked-too", clusterIP="10.96.0.77")
    assert again.code == 422
    assert again.message == (
        'Service "asked-too" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.77"]: failed to allocate IP '
        "10.96.0.77: provided IP is already allocated"
    )
    assert again.body["details"]["kind"] == "Service"
    outside = server.service("outside", clusterIP="192.0.2.1")
    assert "the provided network does not match the current range" in outside.message
    moved = server.change("asked", clusterIP="10.96.0.78", clusterIPs=["10.96.0.78"])
    assert moved.causes["spec.clusterIPs[0]"] == f'Invalid value: ["10.96.0.78"]: {ONCE}'
    assert server.get("/apis/networking.k8s.io/v1/ipaddresses/10.96.0.77").body["spec"]["parentRef"]["name"] == "asked"
    gone = changed(server, "asked", type="ExternalName", externalName="a.example")
    assert "clusterIP" not in gone
    made(server, "asked-too", clusterIP="10.96.0.77")
    server.ask("DELETE", "/api/v1/namespaces/default/services/asked-too")
    made(server, "asked-last", clusterIP="10.96.0.77")


def test_node_ports_are_taken_kept_and_given_back(server: Server) -> None:
    made(server, "door", type="NodePort", ports=[{"port": 80, "nodePort": 30333}])
    again = server.service("door-udp", type="NodePort", ports=[{"port": 80, "protocol": "UDP", "nodePort": 30333}])
    assert again.causes == {"spec.ports[0].nodePort": "Invalid value: 30333: provided port is already allocated"}
    low = server.service("door-low", type="NodePort", ports=[{"port": 80, "nodePort": 20000}])
    assert low.causes["spec.ports[0].nodePort"].endswith("The range of valid ports is 30000-32767")
    kept = changed(server, "door", ports=[{"port": 81}])
    assert kept["ports"][0]["nodePort"] == 30333
    assert "nodePort" not in changed(server, "door", type="ClusterIP")["ports"][0]
    dns = [{"name": name, "port": 53, "protocol": name.upper(), "nodePort": 30333} for name in ("udp", "tcp")]
    assert [port["nodePort"] for port in made(server, "door-dns", type="NodePort", ports=dns)["ports"]] == [30333] * 2
    shared = made(
        server, "shared", type="NodePort", ports=[{k: v for k, v in p.items() if k != "nodePort"} for p in dns]
    )
    assert shared["ports"][0]["nodePort"] == shared["ports"][1]["nodePort"]
    server.ask("DELETE", "/api/v1/namespaces/default/services/door-dns")
    made(server, "door-last", type="NodePort", ports=[{"port": 80, "nodePort": 30333}])


def test_a_refused_write_takes_nothing(server: Server) -> None:
    bad = server.service("half", clusterIP="10.96.0.99", type="NodePort", ports=[{"port": 0, "nodePort": 30444}])
    assert bad.code == 422
    dry = {"metadata": {"name": "dry"}, "spec": {"clusterIP": "10.96.0.99", "ports": [{"port": 80}]}}
    tried = server.ask("POST", "/api/v1/namespaces/default/services", dry, query={"dryRun": "All"})
    assert tried.code == 201
    made(server, "whole", clusterIP="10.96.0.99", type="NodePort", ports=[{"port": 80, "nodePort": 30444}])


def test_the_health_check_port_stays(server: Server) -> None:
    spec = made(server, "checked", type="LoadBalancer", externalTrafficPolicy="Local")
    moved = server.change("checked", healthCheckNodePort=spec["healthCheckNodePort"] - 1)
    assert moved.causes["spec.healthCheckNodePort"] == "Forbidden: field is immutable"
    assert "healthCheckNodePort" not in changed(server, "checked", externalTrafficPolicy="Cluster")


@pytest.mark.parametrize(
    ("spec", "field", "words"),
    [
        ({"ports": []}, "spec.ports", "Required value"),
        ({"ports": [{"port": 0}]}, "spec.ports[0].port", "Invalid value: 0: must be between 1 and 65535, inclusive"),
        ({"ports": [{"port": 1, "targetPort": 70000}]}, "spec.ports[0].targetPort", "must be between 1 and 65535"),
        ({"ports": [{"port": 1, "targetPort": "Bad"}]}, "spec.ports[0].targetPort", "must contain only alpha-numeric"),
        ({"ports": [{"port": 1}, {"port": 2}]}, "spec.ports[1].name", "Required value"),
        ({"ports": [{"port": 1, "name": "a"}, {"port": 2, "name": "a"}]}, "spec.ports[1].name", 'Duplicate value: "a"'),
        ({"ports": [{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]}, "spec.ports[1]", "Duplicate value: {"),
        ({"ports": [{"port": 1, "name": "A"}]}, "spec.ports[0].name", "a lowercase RFC 1123 label"),
        ({"ports": [{"port": 1, "protocol": "X"}]}, "spec.ports[0].protocol", 'supported values: "SCTP", "TCP", "UDP"'),
        ({"ports": [{"port": 1, "nodePort": 30001}]}, "spec.ports[0].nodePort", "may not be used when `type` is"),
        ({"ports": [{"port": 1, "appProtocol": "a b"}]}, "spec.ports[0].appProtocol", "name part must consist of"),
        ({"type": "Odd"}, "spec.type", 'supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'),
        ({"type": "ExternalName"}, "spec.externalName", "Required value"),
        ({"type": "ExternalName", "externalName": "a_b"}, "spec.externalName", "a lowercase RFC 1123 subdomain"),
        (
            {"type": "NodePort", "clusterIP": "None"},
            "spec.clusterIPs[0]",
            "may not be set to 'None' for NodePort services",
        ),
        ({"sessionAffinity": "Sometimes"}, "spec.sessionAffinity", 'supported values: "ClientIP", "None"'),
        (
            {"sessionAffinity": "ClientIP", "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 86401}}},
            "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
            "Invalid value: 86401: must be greater than 0 and less than 86400",
        ),
        (
            {"externalTrafficPolicy": "Local"},
            "spec.externalTrafficPolicy",
            "only be set for externally-accessible services",
        ),
        ({"internalTrafficPolicy": "Far"}, "spec.internalTrafficPolicy", 'supported values: "Cluster", "Local"'),
        ({"healthCheckNodePort": 30001}, "spec.healthCheckNodePort", "may only be set when `type` is 'LoadBalancer'"),
        ({"externalIPs": ["127.0.0.1"]}, "spec.externalIPs[0]", "may not be in the loopback range"),
        ({"externalIPs": ["fe80::1"]}, "spec.externalIPs[0]", "may not be in the link-local range"),
        ({"externalIPs": ["0.0.0.0"]}, "spec.externalIPs[0]", "may not be unspecified"),
        ({"externalIPs": ["here"]}, "spec.externalIPs[0]", "must be a valid IP address"),
        ({"externalIPs": ["198.051.100.1"]}, "spec.externalIPs[0]", "must not have leading 0s"),
        ({"loadBalancerSourceRanges": ["10.0.0.0/8"]}, "spec.LoadBalancerSourceRanges", "`type` is 'LoadBalancer'"),
        (
            {"type": "LoadBalancer", "loadBalancerSourceRanges": ["10.0.0.1/8"]},
            "spec.LoadBalancerSourceRanges[0]",
            "must not have bits set beyond the prefix length",
        ),
        ({"loadBalancerClass": "a/b"}, "spec.loadBalancerClass", "may only be used when `type` is 'LoadBalancer'"),
        ({"allocateLoadBalancerNodePorts": False}, "spec.allocateLoadBalancerNodePorts", "`type` is 'LoadBalancer'"),
        ({"trafficDistribution": "PreferFar"}, "spec.trafficDistribution", '"PreferClose", "PreferSameZone", '),
        ({"ipFamilies": ["IPv5"]}, "spec.ipFamilies[0]", 'supported values: "IPv4", "IPv6"'),
        ({"clusterIPs": ["10.96.1.1"]}, "spec.clusterIPs", "must be empty when `clusterIP` is not specified"),
        (
            {"clusterIP": "10.96.1.1", "clusterIPs": ["10.96.1.2"]},
            "spec.clusterIPs",
            "first value must match `clusterIP`",
        ),
        (
            {"clusterIP": "10.96.1.1", "ipFamilies": ["IPv6"]},
            "spec.clusterIPs[0]",
            "expected an IPv6 value as indicated by `ipFamilies[0]`",
        ),
    ],
)
def test_a_bad_service_is_refused_with_the_field(server: Server, spec: Json, field: str, words: str) -> None:
    answer = server.service("bad", **spec)
    assert (answer.code, answer.body.get("reason")) == (422, "Invalid")
    assert words in answer.causes[field]
    assert server.get("/api/v1/namespaces/default/services/bad").code == 404


def test_what_is_set_once_stays(server: Server) -> None:
    made(server, "classy", type="LoadBalancer", loadBalancerClass="example.com/a")
    moved = server.change("classy", loadBalancerClass="example.com/b")
    assert moved.causes["spec.loadBalancerClass"].endswith(ONCE)
    assert "loadBalancerClass" not in changed(server, "classy", type="ClusterIP")


def test_ingress_addresses_say_how_they_work(server: Server) -> None:
    made(server, "ingress", type="LoadBalancer")
    path = "/api/v1/namespaces/default/services/ingress/status"

    def report(*ingress: Json) -> dict[str, str]:
        return server.ask("PATCH", path, {"status": {"loadBalancer": {"ingress": list(ingress)}}}, patch="merge").causes

    assert report({"hostname": "lb.example", "ipMode": "VIP"}) == {
        "status.loadBalancer.ingress[0].ipMode": "Forbidden: may not be specified when `ip` is not set"
    }
    assert "supported values" in report({"ip": "203.0.113.9", "ipMode": "Odd"})["status.loadBalancer.ingress[0].ipMode"]
    assert report({"ip": "203.0.113.9", "ipMode": "Proxy"}) == {}
    kept = server.get("/api/v1/namespaces/default/services/ingress").body
    assert kept["status"]["loadBalancer"]["ingress"] == [{"ip": "203.0.113.9", "ipMode": "Proxy"}]
    assert server.change("ingress", type="ClusterIP").body["status"] == {"loadBalancer": {}}


def test_names_are_dns_labels(server: Server) -> None:
    assert "a lowercase RFC 1123 label" in server.service("Upper").causes["metadata.name"]
    assert server.service("a.b").code == 422
    assert server.service("1st").code == 201, "1.36 takes names that begin with a digit (KEP-5311)"


def test_a_dry_run_does_not_look_at_the_node_port_range(server: Server) -> None:
    path = "/api/v1/namespaces/default/services"
    body = {"metadata": {"name": "beyond"}, "spec": {"type": "NodePort", "ports": [{"port": 80, "nodePort": 70000}]}}
    tried = server.ask("POST", path, body, query={"dryRun": "All"})
    assert (tried.code, tried.body["spec"]["ports"][0]["nodePort"]) == (201, 70000)
    assert "not in the valid range" in server.create(path, body).causes["spec.ports[0].nodePort"]
    assert server.get(f"{path}/beyond").code == 404


def test_a_single_stack_cluster(tmp_path_factory: pytest.TempPathFactory) -> None:
    options = ("--service-cidr", "fd00:96::/112", "--node-port-range", "31000-31001")
    with running(tmp_path_factory.mktemp("api"), *options) as server:
        assert (
            server.service("both", ipFamilyPolicy="RequireDualStack")
            .causes["spec.ipFamilyPolicy"]
            .endswith("this cluster is not configured for dual-stack services")
        )
        assert (
            server.service("four", ipFamilies=["IPv4"])
            .causes["spec.ipFamilies[0]"]
            .endswith("not configured on this cluster")
        )
        assert made(server, "six", ipFamilyPolicy="PreferDualStack")["ipFamilies"] == ["IPv6"]
        for name in ("a", "b"):
            made(server, name, type="NodePort")
        full = server.service("c", type="NodePort")
        assert (full.code, full.body["reason"]) == (500, "InternalError")
        assert "failed to allocate a nodePort: range is full" in full.message


def test_the_api_has_a_service_of_its_own(server: Server) -> None:
    spec = server.get("/api/v1/namespaces/default/services/kubernetes").body["spec"]
    assert spec["clusterIP"] == "10.96.0.1"
    path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"
    found = server.get(path).body
    assert found["endpoints"][0]["addresses"] == ["127.0.0.1"]
    assert found["ports"][0]["port"] == server.port
