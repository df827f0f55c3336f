"""What is put into a cluster: restricted pods, Services that select exactly their endpoints, names of our own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.arrange import manifests
from conformance.arrange.run import WHY, Run, new_id
from conformance.model import manifest
from conformance.model.case import Backend, Breed, IngressSpec, ServiceSpec, on, on_host
from conformance.model.case.backend import fleet, ward
from conformance.model.kube import Policy, ServiceType
from conformance.plan import imagine

RUN = Run("abc123")
backends = st.builds(Backend, st.sampled_from("abc"), st.sampled_from([b.value for b in Breed if b is not Breed.FLEET]))
specs = st.lists(
    st.builds(
        ServiceSpec,
        st.sampled_from([ServiceType.CLUSTER_IP, ServiceType.NODE_PORT, ServiceType.LOAD_BALANCER]),
        st.lists(backends, unique=True, max_size=4).map(tuple),
    ),
    max_size=12,
)


def body(spec: ServiceSpec) -> dict[str, Any]:
    """What is asked of the API server for ``spec`` in the imagined cluster."""
    made = manifests.service(RUN, spec, imagine.scenes([(spec,)])[0].here)
    return dict(made["spec"])


@given(specs)
def test_a_service_selects_its_endpoints_and_nothing_else(some: list[ServiceSpec]) -> None:
    pods = {b: manifests.ends_labels(b, some) for spec in some for b in spec.endpoints}
    for spec in some:
        selector = body(spec)["selector"]
        selected = {b for b, labels in pods.items() if selector.items() <= labels.items()}
        assert selected == set(spec.endpoints)


@given(specs)
def test_labels_are_ones_that_the_api_accepts(some: list[ServiceSpec]) -> None:
    for spec in some:
        _, _, name = manifests.ends_label(spec.endpoints).partition("/")
        assert 0 < len(name) <= 63
        assert name[0].isalnum()
        assert name[-1].isalnum()


def test_ordinary_pods_meet_the_restricted_pod_security_level() -> None:
    pod = manifests.pod(RUN, RUN.namespace, "web-a", "node-a", port=8080, role="backend")
    (container,) = pod["spec"]["containers"]
    security = container["securityContext"]
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["runAsNonRoot"] is True
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}
    assert {next(iter(set(v) - {"name"})) for v in pod["spec"]["volumes"]} == {"configMap"}
    assert pod["spec"]["hostNetwork"] is False
    assert pod["spec"]["automountServiceAccountToken"] is False


def test_what_answers_in_a_sidecar_is_a_restartable_init_container() -> None:
    (one,), (web,) = on("a", breed=Breed.SIDECAR), on("a")
    made = manifests.backend(RUN, one, "node-a", [])["spec"]
    usual = manifests.backend(RUN, web, "node-a", [])["spec"]
    (sidecar,), (idle,) = made["initContainers"], made["containers"]
    assert sidecar["restartPolicy"] == "Always"
    assert sidecar["ports"] == usual["containers"][0]["ports"]
    assert "ports" not in idle
    assert idle["securityContext"] == manifests.RESTRICTED


def test_the_api_is_not_asked_for_external_policy_where_there_is_none() -> None:
    assert "externalTrafficPolicy" not in body(ServiceSpec(ServiceType.CLUSTER_IP, on("a")))
    local = body(ServiceSpec(ServiceType.NODE_PORT, on("a"), external_policy=Policy.LOCAL))
    assert local["externalTrafficPolicy"] == "Local"


def test_affinity_and_external_ips_only_where_wanted() -> None:
    plain = body(ServiceSpec(ServiceType.CLUSTER_IP, on_host("a")))
    full = body(ServiceSpec(ServiceType.CLUSTER_IP, on(), affinity=True, external_ip=True))
    assert not {"sessionAffinity", "externalIPs"} & plain.keys()
    assert (full["sessionAffinity"], full["externalIPs"]) == ("ClientIP", ["198.51.100.1", "2001:db8:100::1"])


@given(st.text("0123456789abcdef", min_size=6, max_size=6))
def test_ports_are_outside_of_node_ports_and_ephemeral_ports(run_id: str) -> None:
    run = Run(run_id)
    assert 20000 <= run.backend_port < run.control_port < 30000
    assert run == Run(run_id)


def test_runs_do_not_share_names() -> None:
    assert len({new_id() for _ in range(200)}) > 195
    assert RUN.namespace != RUN.host_namespace
    assert "abc123" in RUN.namespace


def test_a_pod_that_is_to_have_failed_ends_at_once_and_for_good() -> None:
    (ended,) = on("a", breed=Breed.FAILED)
    made = manifests.backend(RUN, ended, "n", [])
    (container,) = made["spec"]["containers"]
    assert made["spec"]["restartPolicy"] == "Never"
    assert container["command"][:2] == ["python3", "-c"]
    assert not [name for name in container if name.endswith("Probe")]


def test_pods_are_asked_whether_they_serve_until_they_do_and_one_that_is_not_to_be_ready_for_ever() -> None:
    (plain,), (unready,) = on("a"), on("a", breed=Breed.UNREADY)
    probes = [
        {name for name in manifests.backend(RUN, one, "n", [])["spec"]["containers"][0] if name.endswith("Probe")}
        for one in (plain, unready)
    ]
    assert probes == [{"startupProbe"}, {"startupProbe", "readinessProbe"}]


def test_a_mirrored_service_selects_nothing_and_lists_its_endpoints_by_port() -> None:
    spec = ServiceSpec(endpoints=(*on("a", "b"), *on("a", breed=Breed.ALT)), mirrored=True, called="m")
    assert "selector" not in body(spec)
    made = manifests.endpoints(RUN, spec, imagine.scenes([(spec,)])[0].here)
    assert made["metadata"]["namespace"] == RUN.namespace
    found = {
        p["port"]: sorted((a["ip"], a["nodeName"], a["targetRef"]["name"]) for a in subset["addresses"])
        for subset in made["subsets"]
        for p in subset["ports"]
    }
    assert found == {
        8080: [
            ("10.244.1.11", "node-a", "web-a"),
            ("10.244.2.11", "node-b", "web-b"),
            ("fd44:1::b", "node-a", "web-a"),
            ("fd44:2::b", "node-b", "web-b"),
        ],
        8087: [("10.244.1.14", "node-a", "alt-a"), ("fd44:1::e", "node-a", "alt-a")],
    }


def test_services_share_an_external_ip_and_nothing_else() -> None:
    one = ServiceSpec(endpoints=on("a"), external_ip=True, called="one")
    other = ServiceSpec(endpoints=on("b"), external_ip=True, shares_external_ip_of="one", called="other")
    alone = ServiceSpec(endpoints=on("b"), external_ip=True, called="alone")
    here = imagine.scenes([(one, other, alone)])[0].here
    given = [manifests.service(RUN, s, here)["spec"] for s in (one, other, alone)]
    assert given[0]["externalIPs"] == given[1]["externalIPs"] != given[2]["externalIPs"]
    assert all("clusterIP" not in spec for spec in given)


def test_a_balancers_address_may_be_a_nodes_own_and_a_health_check_port_asked_for() -> None:
    spec = ServiceSpec(
        ServiceType.LOAD_BALANCER,
        external_policy=Policy.LOCAL,
        ingress=(IngressSpec(secondary_of="b"),),
        health_check_port=3,
        called="own",
    )
    here = imagine.scenes([(spec,)])[0].here
    status = manifest.status(spec, here)
    assert status is not None
    assert [i["ip"] for i in status["status"]["loadBalancer"]["ingress"]] == ["172.31.98.2", "fd98::2"]
    assert manifests.service(RUN, spec, here)["spec"]["healthCheckNodePort"] == here.node_port(3)


def test_a_client_asks_for_no_more_than_its_questions_take() -> None:
    plain, pinging, raw = (
        manifests.client(RUN, "a", "n", ping=p, raw=r) for p, r in ((False, False), (True, False), (False, True))
    )
    assert "securityContext" not in plain["spec"]
    assert [s["name"] for s in pinging["spec"]["securityContext"]["sysctls"]] == ["net.ipv4.ping_group_range"]
    assert "annotations" not in pinging["metadata"]
    security = raw["spec"]["containers"][0]["securityContext"]
    assert security["capabilities"] == {"drop": ["ALL"], "add": ["NET_RAW"]}
    assert "SCTP" in next(iter(raw["metadata"]["annotations"].values()))


def test_only_who_may_enter_nodes_is_privileged_and_says_why() -> None:
    plain, entering = (manifests.host_agent(RUN, 0, "n1", privileged=privileged) for privileged in (False, True))
    assert "hostPID" not in plain["spec"]
    assert plain["spec"]["containers"][0]["securityContext"] == manifests.RESTRICTED
    assert entering["spec"]["hostPID"] is True
    assert entering["spec"]["containers"][0]["securityContext"]["privileged"] is True
    assert entering["metadata"]["namespace"] == RUN.host_namespace
    assert entering["metadata"]["annotations"][WHY]


@pytest.mark.parametrize("one", [*ward("a", 7), *on("a"), *on("a", breed=Breed.RAW)])
def test_only_a_fleet_answers_on_many_ports(one: Backend) -> None:
    (container,) = manifests.backend(RUN, one, "n", [])["spec"]["containers"]
    assert "--fleet" not in container["command"]
    (container,) = manifests.backend(RUN, fleet("a", 3)[-1], "n", [])["spec"]["containers"]
    assert container["command"][-1].endswith(":3")
