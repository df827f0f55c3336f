"""Deployments, DaemonSets, scheduling, deletion: as kubectl sees them."""

from __future__ import annotations

import json
from typing import Any

import yaml

from tests.lab.controllers.world import NODES, World

Json = dict[str, Any]


def deployment(name: str, namespace: str, replicas: int = 3) -> Json:
    pod = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [{"name": "c", "image": "one"}]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": pod},
    }


def apply(world: World, *objects: Json) -> None:
    done = world.kubectl("apply", "-f", "-", stdin=yaml.safe_dump_all(objects))
    assert done.returncode == 0, done.stderr


def namespace(world: World, name: str) -> str:
    apply(world, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return name


def ok(world: World, *arguments: str) -> str:
    done = world.kubectl(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def items(world: World, *arguments: str) -> list[Json]:
    found: list[Json] = json.loads(ok(world, "get", *arguments, "-o", "json"))["items"]
    return found


def test_a_deployment_rolls_out_back_and_to_another_size(world: World) -> None:
    def scenario() -> None:
        ns = namespace(world, "rolls")
        apply(world, deployment("web", ns))
        ok(world, "-n", ns, "rollout", "status", "deployment/web", "--timeout=60s")
        assert {pod["spec"]["nodeName"] for pod in items(world, "pods", "-n", ns)} == set(NODES)

        ok(world, "-n", ns, "set", "image", "deployment/web", "c=two")
        ok(world, "-n", ns, "rollout", "status", "deployment/web", "--timeout=60s")
        sizes = {
            s["spec"]["template"]["spec"]["containers"][0]["image"]: s["spec"]["replicas"]
            for s in items(world, "rs", "-n", ns)
        }
        assert sizes == {"one": 0, "two": 3}

        ok(world, "-n", ns, "rollout", "undo", "deployment/web")
        ok(world, "-n", ns, "rollout", "status", "deployment/web", "--timeout=60s")
        ok(world, "-n", ns, "scale", "deployment/web", "--replicas=1")
        ok(world, "-n", ns, "rollout", "status", "deployment/web", "--timeout=60s")
        ok(world, "-n", ns, "wait", "--for=jsonpath={.status.replicas}=1", "deployment/web", "--timeout=60s")
        ok(world, "-n", ns, "wait", "--for=condition=Available", "deployment/web", "--timeout=60s")
        assert "3" in ok(world, "-n", ns, "rollout", "history", "deployment/web")

    world.nodes(scenario)


def test_deleting_in_the_foreground_in_the_background_and_with_orphans(world: World) -> None:
    def scenario() -> None:
        ns = namespace(world, "cascades")
        for name in ("front", "back", "orphans"):
            apply(world, deployment(name, ns, replicas=1))
            ok(world, "-n", ns, "rollout", "status", f"deployment/{name}", "--timeout=60s")
        ok(world, "-n", ns, "delete", "deployment", "front", "--cascade=foreground", "--timeout=60s")
        assert not items(world, "pods,rs", "-n", ns, "-l", "app=front")
        ok(world, "-n", ns, "delete", "deployment", "back", "--cascade=background", "--timeout=60s")
        ok(world, "-n", ns, "wait", "--for=delete", "pods,rs", "-l", "app=back", "--timeout=60s")
        ok(world, "-n", ns, "delete", "deployment", "orphans", "--cascade=orphan", "--timeout=60s")
        [orphan] = items(world, "rs", "-n", ns, "-l", "app=orphans")
        assert not orphan["metadata"].get("ownerReferences")
        assert orphan["status"]["readyReplicas"] == 1

    world.nodes(scenario)


def test_a_daemon_set_has_one_pod_on_every_node_and_renews_them(world: World) -> None:
    def scenario() -> None:
        ns = namespace(world, "daemons")
        body = deployment("d", ns)
        spec = {k: v for k, v in body["spec"].items() if k != "replicas"}
        apply(world, {**body, "kind": "DaemonSet", "spec": spec})
        ok(world, "-n", ns, "rollout", "status", "ds/d", "--timeout=60s")
        assert sorted(pod["spec"]["nodeName"] for pod in items(world, "pods", "-n", ns)) == sorted(NODES)
        ok(world, "-n", ns, "set", "image", "ds/d", "c=two")
        ok(world, "-n", ns, "rollout", "status", "ds/d", "--timeout=60s")
        assert {pod["spec"]["containers"][0]["image"] for pod in items(world, "pods", "-n", ns)} == {"two"}

    world.nodes(scenario)


def test_a_pod_that_fits_nowhere_says_so_and_is_bound_when_it_does(world: World) -> None:
    def scenario() -> None:
        ns = namespace(world, "picky")
        body = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "namespace": ns},
            "spec": {"nodeSelector": {"disk": "ssd"}, "containers": [{"name": "c", "image": "x"}]},
        }
        apply(world, body)
        ok(world, "-n", ns, "wait", "--for=condition=PodScheduled=False", "pod/p", "--timeout=60s")
        [pod] = items(world, "pods", "-n", ns)
        [state] = [c for c in pod["status"]["conditions"] if c["type"] == "PodScheduled"]
        assert (state["reason"], state["message"][:27]) == ("Unschedulable", "0/3 nodes are available: 3 ")
        ok(world, "label", "node", NODES[1], "disk=ssd")
        ok(world, "-n", ns, "wait", "--for=condition=Ready", "pod/p", "--timeout=60s")
        assert items(world, "pods", "-n", ns)[0]["spec"]["nodeName"] == NODES[1]
        ok(world, "label", "node", NODES[1], "disk-")

    world.nodes(scenario)


def test_a_namespace_goes_with_everything_in_it(world: World) -> None:
    def scenario() -> None:
        ns = namespace(world, "goes")
        apply(world, deployment("web", ns))
        ok(world, "-n", ns, "expose", "deployment", "web", "--port=80")
        ok(world, "-n", ns, "rollout", "status", "deployment/web", "--timeout=60s")
        ok(world, "delete", "namespace", ns, "--timeout=60s")
        kinds = "pods,rs,deployments,services,endpoints,endpointslices,configmaps,serviceaccounts"
        assert [obj for obj in items(world, kinds, "-A") if obj["metadata"]["namespace"] == ns] == []

    world.nodes(scenario)


def test_every_namespace_gets_its_account_and_certificate_back(world: World) -> None:
    ns = namespace(world, "content")
    for kind, name in (("serviceaccount", "default"), ("configmap", "kube-root-ca.crt")):
        ok(world, "-n", ns, "wait", "--for=create", f"{kind}/{name}", "--timeout=60s")
        ok(world, "-n", ns, "delete", kind, name, "--wait=false")
        ok(world, "-n", ns, "wait", "--for=create", f"{kind}/{name}", "--timeout=60s")
    assert "BEGIN CERTIFICATE" in ok(world, "-n", ns, "get", "configmap", "kube-root-ca.crt", "-o", "yaml")
