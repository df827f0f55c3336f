"""Environment, names, volumes' contents and privileges: pure."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.lab.kubelet import atomic, names, payload, security
from conformance.lab.kubelet.environment import (
    ConfigError,
    Surroundings,
    container_environment,
    expand,
    field_value,
    service_variables,
)
from conformance.lab.kubelet.payload import File

Json = dict[str, Any]


def pod(**spec: object) -> Json:
    metadata = {
        "name": "web",
        "namespace": "shop",
        "uid": "u1",
        "labels": {"app": "web"},
        "annotations": {"a/b": 'x"y'},
    }
    return {"metadata": metadata, "spec": {"nodeName": "node-a", "containers": [{"name": "c"}], **spec}}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$(A)", "1"),
        ("$(A)$(B)", "1$(B)"),
        ("$$(A)", "$(A)"),
        ("$$$(A)", "$1"),
        ("$A ${A} $", "$A ${A} $"),
        ("$(A", "$(A"),
        ("$($(A))", "$(1)"),
    ],
)
def test_expansion_is_that_of_the_api(text: str, expected: str) -> None:
    assert expand(text, {"A": "1"}) == expected


@given(st.text(alphabet="ab()$ ", max_size=20))
def test_expansion_without_variables_only_halves_dollars(text: str) -> None:
    assert expand(text, {}) == text.replace("$$", "$")


def test_fields_of_the_downward_api() -> None:
    around = Surroundings(("10.0.0.1", "fd00::1"), ("172.16.0.1",))
    for path, expected in (
        ("metadata.name", "web"),
        ("metadata.labels['app']", "web"),
        ("metadata.annotations['a/b']", 'x"y'),
        ("metadata.annotations['none']", ""),
        ("metadata.annotations", 'a/b="x\\"y"'),
        ("spec.nodeName", "node-a"),
        ("status.podIP", "10.0.0.1"),
        ("status.podIPs", "10.0.0.1,fd00::1"),
        ("status.hostIP", "172.16.0.1"),
    ):
        assert field_value(pod(), path, around) == expected
    with pytest.raises(ConfigError, match=r"spec\.tolerations"):
        field_value(pod(), "spec.tolerations", around)


def test_env_overrides_env_from_and_sees_what_stands_above() -> None:
    around = Surroundings(config_maps={"conf": {"data": {"A": "1", "B": "2"}}})
    container = {
        "envFrom": [
            {"prefix": "P_", "configMapRef": {"name": "conf"}},
            {"secretRef": {"name": "none", "optional": True}},
        ],
        "env": [
            {"name": "P_A", "value": "$(P_B)!"},
            {"name": "KEY", "valueFrom": {"configMapKeyRef": {"name": "conf", "key": "Z", "optional": True}}},
            {"name": "LATE", "value": "$(NEVER)"},
        ],
    }
    found = container_environment(pod(), container, around, {"PATH": "/bin"})
    assert found == {"PATH": "/bin", "P_A": "2!", "P_B": "2", "LATE": "$(NEVER)"}
    with pytest.raises(ConfigError, match='configmap "gone" not found'):
        container_environment(pod(), {"envFrom": [{"configMapRef": {"name": "gone"}}]}, around, {})


def test_service_variables_with_and_without_links() -> None:
    def service(namespace: str, name: str, ip: str) -> Json:
        ports = [{"name": "http-x", "port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]
        return {"metadata": {"namespace": namespace, "name": name}, "spec": {"clusterIP": ip, "ports": ports}}

    services = [
        service("default", "kubernetes", "10.96.0.1"),
        service("shop", "my-db", "fd00::2"),
        service("shop", "headless", "None"),
        service("other", "far", "10.96.0.9"),
    ]
    found = service_variables(pod(), services)
    assert found["KUBERNETES_SERVICE_HOST"] == "10.96.0.1"
    assert found["MY_DB_SERVICE_PORT_HTTP_X"] == "80"
    assert found["MY_DB_PORT_53_UDP"] == "udp://[fd00::2]:53"
    assert not any(name.startswith(("HEADLESS", "FAR")) for name in found)
    assert all(name.startswith("KUBERNETES_") for name in service_variables(pod(enableServiceLinks=False), services))


def test_resolv_conf_by_policy() -> None:
    node = "nameserver 192.0.2.53\nsearch home\noptions edns0\n"
    dns = ("10.96.0.10",)
    cluster = "nameserver 10.96.0.10\nsearch shop.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n"
    assert names.resolv_conf(pod(), dns, "cluster.local", node) == cluster
    assert names.resolv_conf(pod(hostNetwork=True), dns, "cluster.local", node) == node
    both = pod(hostNetwork=True, dnsPolicy="ClusterFirstWithHostNet")
    assert names.resolv_conf(both, dns, "cluster.local", node) == cluster
    config = {"nameservers": ["192.0.2.1"], "searches": ["x"], "options": [{"name": "ndots", "value": "2"}]}
    none = pod(dnsPolicy="None", dnsConfig=config)
    assert names.resolv_conf(none, dns, "cluster.local", node) == "nameserver 192.0.2.1\nsearch x\noptions ndots:2\n"
    merged = names.resolv_conf(pod(dnsConfig=config), dns, "cluster.local", node)
    assert "options ndots:2\n" in merged
    assert merged.startswith("nameserver 10.96.0.10\nnameserver 192.0.2.1\n")


def test_capabilities() -> None:
    def of(**context: object) -> frozenset[str] | None:
        return security.capabilities({"securityContext": context})

    assert of(privileged=True) is None
    assert of() == security.DEFAULT
    assert not {"NET_RAW", "NET_ADMIN", "SYS_ADMIN"} & security.DEFAULT
    assert of(capabilities={"add": ["CAP_NET_RAW"], "drop": ["ALL"]}) == frozenset({"NET_RAW"})
    assert of(capabilities={"drop": ["KILL"]}) == security.DEFAULT - {"KILL"}
    everything = of(capabilities={"add": ["ALL"], "drop": ["NET_ADMIN"]})
    assert everything == frozenset(security.CAPABILITIES) - {"NET_ADMIN"}


def test_users_only_where_they_exist() -> None:
    container = {"securityContext": {"runAsUser": 1000, "allowPrivilegeEscalation": False}}
    there = security.privileges(pod(securityContext={"fsGroup": 5}), container, can_change_user=True)
    assert (there.uid, there.gid, there.groups, there.no_new_privileges) == (1000, 0, (5,), True)
    assert security.privileges(pod(), container, can_change_user=False).uid is None


def test_a_volume_of_any_kind_becomes_files() -> None:
    around = Surroundings(
        config_maps={"conf": {"data": {"a": "1"}, "binaryData": {"b": "/w=="}}},
        secrets={"key": {"data": {"s": base64.b64encode(b"hidden").decode()}}},
    )

    def files(volume: Json) -> dict[str, File]:
        found = payload.sources(volume)
        assert found is not None
        return payload.files(pod(), found, around, {"token": "t0k"})

    assert files({"configMap": {"name": "conf"}}) == {"a": File(b"1", 0o644), "b": File(b"\xff", 0o644)}
    chosen = {"name": "conf", "items": [{"key": "a", "path": "x/y", "mode": 0o600}]}
    assert files({"configMap": chosen}) == {"x/y": File(b"1", 0o600)}
    assert files({"secret": {"secretName": "key", "defaultMode": 0o400}}) == {"s": File(b"hidden", 0o400)}
    assert files({"secret": {"secretName": "none", "optional": True}}) == {}
    projected = [
        {"serviceAccountToken": {"path": "token"}},
        {"configMap": {"name": "conf", "items": [{"key": "a", "path": "ca"}]}},
        {"downwardAPI": {"items": [{"path": "ns", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    assert {path: file.content for path, file in files({"projected": {"sources": projected}}).items()} == {
        "token": b"t0k",
        "ca": b"1",
        "ns": b"shop",
    }
    with pytest.raises(ConfigError, match='configmap "none" not found'):
        files({"configMap": {"name": "none"}})
    assert payload.sources({"emptyDir": {}}) is None


_NAMES = st.sampled_from(["a", "b", "c", "d/e", "d/f"])
_FILES = st.dictionaries(_NAMES, st.builds(File, st.binary(max_size=3), st.sampled_from([0o644, 0o600])))


@given(st.lists(_FILES, min_size=1, max_size=4))
def test_a_volume_always_shows_one_whole_state(
    tmp_path_factory: pytest.TempPathFactory, states: list[dict[str, File]]
) -> None:
    folder = tmp_path_factory.mktemp("volume")
    shown: dict[str, File] | None = None
    for state in states:
        assert atomic.write(folder, state) == (state != shown)
        shown = state
        visible = {
            str(path.relative_to(folder)): File(path.read_bytes(), path.stat().st_mode & 0o777)
            for top in folder.iterdir()
            if not top.name.startswith("..")
            for path in ([top] if top.is_file() else Path(top).iterdir())
        }
        assert visible == state
        assert len([entry for entry in folder.iterdir() if entry.name.startswith("..0")]) == 1
