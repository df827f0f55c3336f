"""Every pod passes Pod Security's restricted level, unless it says why not and lives where that is allowed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from conformance.arrange import manifests
from conformance.arrange.run import MANAGED_BY, MANAGER, RUN, WHY, Run
from conformance.model.addresses import Protocol
from conformance.model.case import Backend, Breed, ServiceSpec, on, on_host
from conformance.model.kube import HostPort
from conformance.plan import imagine

JSON = dict[str, Any]
MINE = Run("abc123", pull_secret="default/registry")
VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SAFE_SYSCTLS = {"net.ipv4.ping_group_range", "net.ipv4.ip_local_port_range", "net.ipv4.tcp_syncookies"}
BREEDS = [b for b in Breed if b not in (Breed.FLEET, Breed.RAW, Breed.PORTED, Breed.HOST)]


def violations(pod: JSON) -> Iterator[str]:
    """What the restricted level forbids; https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    spec, shared = pod["spec"], pod["spec"].get("securityContext") or {}
    yield from (flag for flag in ("hostNetwork", "hostPID", "hostIPC") if spec.get(flag))
    yield from (s["name"] for s in shared.get("sysctls") or () if s["name"] not in SAFE_SYSCTLS)
    yield from (v["name"] for v in spec.get("volumes") or () if not VOLUMES & v.keys())
    for one in (*spec.get("initContainers", ()), *spec["containers"]):
        own = shared | one.get("securityContext", {})
        capabilities = own.get("capabilities") or {}
        wrong = {
            "privileged": bool(own.get("privileged")),
            "hostPort": any(p.get("hostPort") for p in one.get("ports") or ()),
            "allowPrivilegeEscalation": own.get("allowPrivilegeEscalation") is not False,
            "drop": "ALL" not in (capabilities.get("drop") or ()),
            "add": bool(set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}),
            "runAsNonRoot": own.get("runAsNonRoot") is not True,
            "runAsUser": own.get("runAsUser") == 0,
            "seccompProfile": (own.get("seccompProfile") or {}).get("type") not in ("RuntimeDefault", "Localhost"),
        }
        yield from (f"{one['name']}: {what}" for what, bad in wrong.items() if bad)


ORDINARY = {
    "client": manifests.client(MINE, "a", "n"),
    "pinging client": manifests.client(MINE, "a", "n", ping=True),
    **{b.value: manifests.backend(MINE, on("a", breed=b)[0], "n", []) for b in BREEDS},
    "fleet": manifests.backend(MINE, Backend("a", Breed.FLEET.value, number=3), "n", []),
}
EXCEPTIONS = {
    "raw client": (manifests.client(MINE, "a", "n", raw=True), "SCTP"),
    "raw endpoint": (manifests.backend(MINE, on("a", breed=Breed.RAW)[0], "n", []), "SCTP"),
    "raw endpoint with a hostPort": (
        manifests.backend(MINE, on("a", breed=Breed.PORTED)[0], "n", [], ports=[HostPort(30026, Protocol.TCP)]),
        "hostPort",
    ),
    "host endpoint": (manifests.backend(MINE, on_host("a")[0], "n", []), "network"),
    "host agent": (manifests.host_agent(MINE, 0, "n"), "network"),
    "raw host agent": (manifests.host_agent(MINE, 0, "n", raw=True), "network"),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_an_ordinary_pod_is_restricted(name: str) -> None:
    assert list(violations(ORDINARY[name])) == []
    assert WHY not in ORDINARY[name]["metadata"].get("annotations", {})


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_what_needs_more_says_why_and_gets_no_more_than_that(name: str) -> None:
    pod, reason = EXCEPTIONS[name]
    assert reason in pod["metadata"]["annotations"][WHY]
    ported = {"agent: hostPort"} if "hostPort" in name else set()
    allowed = ported | {"hostNetwork", "agent: add", "agent: runAsNonRoot", "agent: runAsUser"}
    found = set(violations(pod))
    assert found
    assert found <= (allowed if "raw" in name else {"hostNetwork"})


def test_a_namespace_is_restricted_unless_something_in_it_needs_more() -> None:
    for privileged in (False, True):
        made = manifests.namespace(MINE, "n", privileged=privileged)["metadata"]
        level = "privileged" if privileged else "restricted"
        assert made["labels"]["pod-security.kubernetes.io/enforce"] == level
        assert (WHY in made.get("annotations", {})) is privileged


def test_every_object_carries_the_runs_label() -> None:
    spec = ServiceSpec(endpoints=on("a"), mirrored=True, called="m")
    here = imagine.scenes([(spec,)])[0].here
    every = [
        manifests.namespace(MINE, "n", privileged=False),
        manifests.agent_map(MINE, "n", "print()"),
        manifests.pull_secret(MINE, "n", {"type": "kubernetes.io/dockerconfigjson", "data": {}}),
        manifests.service(MINE, spec, here),
        manifests.endpoints(MINE, spec, here),
        *ORDINARY.values(),
        *(pod for pod, _ in EXCEPTIONS.values()),
    ]
    mine = {MANAGED_BY: MANAGER, RUN: "abc123"}
    assert [o["kind"] for o in every if not mine.items() <= o["metadata"]["labels"].items()] == []
