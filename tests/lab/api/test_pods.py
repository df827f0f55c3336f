"""Pods and what makes them: defaults, binding, deletion with grace, frozen specs."""

from __future__ import annotations

from tests.lab.api.apiserver import Json, Server

CONTAINER = {"name": "c", "image": "example.com/x:1"}


def pods(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


def a_pod(name: str, **spec: object) -> Json:
    return {"metadata": {"name": name}, "spec": {"containers": [CONTAINER], **spec}}


def test_a_pod_gets_every_default(server: Server, namespace: str) -> None:
    container = {**CONTAINER, "ports": [{"containerPort": 80}], "readinessProbe": {"tcpSocket": {"port": 80}}}
    made = server.made(pods(namespace), a_pod("p", containers=[container]))
    spec = made["spec"]
    assert (spec["restartPolicy"], spec["dnsPolicy"], spec["terminationGracePeriodSeconds"]) == (
        "Always",
        "ClusterFirst",
        30,
    )
    assert spec["serviceAccountName"] == "default" and spec["enableServiceLinks"] is True
    assert spec["containers"][0]["ports"] == [{"containerPort": 80, "protocol": "TCP"}]
    assert spec["containers"][0]["readinessProbe"]["failureThreshold"] == 3
    assert spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert made["status"] == {"phase": "Pending", "qosClass": "BestEffort"}
    assert {each["key"] for each in spec["tolerations"]} == {
        "node.kubernetes.io/not-ready",
        "node.kubernetes.io/unreachable",
    }


def test_a_pod_is_bound_once(server: Server, namespace: str) -> None:
    server.made(pods(namespace), a_pod("p"))
    target = {"target": {"kind": "Node", "name": "node-a"}}
    assert server.create(f"{pods(namespace)}/p/binding", target).body["status"] == "Success"
    bound = server.get(f"{pods(namespace)}/p").body
    assert bound["spec"]["nodeName"] == "node-a"
    assert bound["status"]["conditions"][0]["type"] == "PodScheduled"
    again = server.create(f"{pods(namespace)}/p/binding", target)
    assert again.code == 409 and 'already assigned to node "node-a"' in again.message
    found = server.get("/api/v1/pods", fieldSelector=f"spec.nodeName=node-a,metadata.namespace={namespace}").body
    assert [each["metadata"]["name"] for each in found["items"]] == ["p"]


def test_a_running_pod_goes_with_grace(server: Server, namespace: str) -> None:
    path = f"{pods(namespace)}/p"
    server.made(pods(namespace), a_pod("p", nodeName="node-a"))
    going = server.ask("DELETE", path).body["metadata"]
    assert going["deletionGracePeriodSeconds"] == 30 and going["deletionTimestamp"]
    sooner = server.ask("DELETE", path, {"gracePeriodSeconds": 5}).body["metadata"]
    assert sooner["deletionGracePeriodSeconds"] == 5
    later = server.ask("DELETE", path, {"gracePeriodSeconds": 60}).body["metadata"]
    assert later["deletionGracePeriodSeconds"] == 5
    gone = server.ask("DELETE", path, {"gracePeriodSeconds": 0})
    assert gone.body["kind"] == "Pod"
    assert server.get(path).code == 404


def test_a_pod_that_runs_nowhere_goes_at_once(server: Server, namespace: str) -> None:
    server.made(pods(namespace), a_pod("p"))
    server.ask("DELETE", f"{pods(namespace)}/p")
    assert server.get(f"{pods(namespace)}/p").code == 404


def test_a_pods_spec_is_frozen_apart_from_images(server: Server, namespace: str) -> None:
    path = f"{pods(namespace)}/p"
    server.made(pods(namespace), a_pod("p"))
    image = {"spec": {"containers": [{"name": "c", "image": "example.com/x:2"}]}}
    assert server.ask("PATCH", path, image, patch="strategic").code == 200
    refused = server.ask("PATCH", path, {"spec": {"hostNetwork": True}}, patch="merge")
    assert refused.code == 422 and refused.causes["spec"].startswith("Forbidden: pod updates may not change fields")


def test_bad_pods_are_refused(server: Server, namespace: str) -> None:
    assert server.create(pods(namespace), a_pod("p", containers=[])).causes["spec.containers"] == "Required value"
    twice = server.create(pods(namespace), a_pod("p", containers=[CONTAINER, CONTAINER]))
    assert twice.causes["spec.containers[1].name"] == 'Duplicate value: "c"'
    mount = {**CONTAINER, "volumeMounts": [{"name": "v", "mountPath": "/v"}]}
    assert server.create(pods(namespace), a_pod("p", containers=[mount])).causes == {
        "spec.containers[0].volumeMounts[0].name": 'Not found: "v"'
    }
    web = {"containerPort": 80, "hostPort": 8080}
    two = [{**CONTAINER, "ports": [web]}, {**CONTAINER, "name": "d", "ports": [web, {**web, "hostPort": 65536}]}]
    refused = server.create(pods(namespace), a_pod("p", containers=two)).causes
    assert refused["spec.containers[1].ports[0].hostPort"] == 'Duplicate value: "TCP//8080"'
    assert refused["spec.containers[1].ports[1].hostPort"].startswith("Invalid value: 65536: must be between")
    host = server.create(pods(namespace), a_pod("p", hostNetwork=True, containers=two[:1])).causes
    assert "must match `containerPort`" in host["spec.containers[0].ports[0].hostPort"]
    nobody = server.create(pods(namespace), a_pod("p", serviceAccountName="nobody"))
    assert nobody.code == 403 and 'serviceaccount "nobody" not found' in nobody.message


def test_workloads_get_defaults_and_keep_their_selector(server: Server, namespace: str) -> None:
    apps = f"/apis/apps/v1/namespaces/{namespace}"
    template = {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [CONTAINER]}}
    spec = {"selector": {"matchLabels": {"app": "x"}}, "template": template}
    made = server.made(f"{apps}/deployments", {"metadata": {"name": "d"}, "spec": spec})
    assert made["spec"]["replicas"] == 1 and made["metadata"]["generation"] == 1
    assert made["spec"]["strategy"] == {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    daemon = server.made(f"{apps}/daemonsets", {"metadata": {"name": "d"}, "spec": spec})
    assert daemon["spec"]["updateStrategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    body = {"spec": {"selector": {"matchLabels": {"app": "y"}}, "template": {"metadata": {"labels": {"app": "y"}}}}}
    moved = server.ask("PATCH", f"{apps}/deployments/d", body, patch="merge")
    assert moved.causes["spec.selector"].endswith("field is immutable")
    odd = {**spec, "selector": {"matchLabels": {"app": "z"}}}
    refused = server.create(f"{apps}/deployments", {"metadata": {"name": "odd"}, "spec": odd})
    assert refused.causes["spec.template.metadata.labels"].endswith("`selector` does not match template `labels`")
