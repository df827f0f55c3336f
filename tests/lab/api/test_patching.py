"""The four patch languages, and who owns what under server-side apply."""

from __future__ import annotations

from tests.lab.api.apiserver import Answer, Json, Server

SERVICES = "/api/v1/namespaces/default/services"
DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"


def deployment(name: str) -> Json:
    container = {"name": "c", "image": "x:1", "env": [{"name": "A", "value": "1"}], "ports": [{"containerPort": 80}]}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    return {"metadata": {"name": name}, "spec": {"selector": {"matchLabels": {"app": name}}, "template": template}}


def containers(answer: Answer) -> list[Json]:
    assert answer.code == 200, answer.body
    found: list[Json] = answer.body["spec"]["template"]["spec"]["containers"]
    return found


def test_a_merge_patch_replaces_lists_and_removes_nulls(server: Server) -> None:
    server.service("merged", ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81}])
    body = {"metadata": {"labels": {"x": "y"}}, "spec": {"ports": [{"name": "c", "port": 82}]}}
    answer = server.ask("PATCH", f"{SERVICES}/merged", body, patch="merge")
    assert [port["port"] for port in answer.body["spec"]["ports"]] == [82]
    gone = server.ask("PATCH", f"{SERVICES}/merged", {"metadata": {"labels": None}}, patch="merge")
    assert "labels" not in gone.body["metadata"]


def test_a_strategic_patch_merges_lists_by_key(server: Server) -> None:
    server.made(DEPLOYMENTS, deployment("strategic"))
    path = f"{DEPLOYMENTS}/strategic"

    def patch(*changes: Json, **extra: object) -> Answer:
        spec = {"containers": list(changes), **extra}
        return server.ask("PATCH", path, {"spec": {"template": {"spec": spec}}}, patch="strategic")

    image = containers(patch({"name": "c", "image": "x:2"}))
    assert [(each["name"], each["image"]) for each in image] == [("c", "x:2")]
    assert image[0]["env"] == [{"name": "A", "value": "1"}]
    side = containers(patch({"name": "side", "image": "y"}))
    assert [each["name"] for each in side] == ["c", "side"]
    env = containers(patch({"name": "c", "env": [{"name": "B", "value": "2"}, {"name": "A", "$patch": "delete"}]}))
    assert env[0]["env"] == [{"name": "B", "value": "2"}]
    order: Json = {"$setElementOrder/containers": [{"name": "side"}, {"name": "c"}]}
    turned = server.ask("PATCH", path, {"spec": {"template": {"spec": order}}}, patch="strategic")
    assert [each["name"] for each in containers(turned)] == ["side", "c"]
    gone = containers(patch({"name": "side", "$patch": "delete"}))
    assert [each["name"] for each in gone] == ["c"]
    assert server.get(path).body["metadata"]["generation"] == 6


def test_strategic_ports_of_a_service_merge_by_port(server: Server) -> None:
    server.service("strategic", ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81}])
    body = {"spec": {"ports": [{"port": 81, "targetPort": 8081}]}}
    ports = server.ask("PATCH", f"{SERVICES}/strategic", body, patch="strategic").body["spec"]["ports"]
    assert [(port["name"], port["targetPort"]) for port in ports] == [("a", 80), ("b", 8081)]


def test_a_json_patch_tests_and_changes(server: Server) -> None:
    server.service("json")
    path = f"{SERVICES}/json"
    operations = [
        {"op": "test", "path": "/spec/ports/0/port", "value": 80},
        {"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080},
        {"op": "add", "path": "/metadata/labels", "value": {"a": "b"}},
    ]
    answer = server.ask("PATCH", path, operations, patch="json")
    assert answer.body["spec"]["ports"][0]["targetPort"] == 8080
    failed = server.ask("PATCH", path, [{"op": "test", "path": "/spec/type", "value": "NodePort"}], patch="json")
    assert failed.code == 422
    assert server.ask("PATCH", path, {"not": "a list"}, patch="json").code == 400


def test_scale_is_a_view_of_the_replicas(server: Server) -> None:
    server.made(DEPLOYMENTS, deployment("scaled"))
    path = f"{DEPLOYMENTS}/scaled"
    scale = server.get(f"{path}/scale").body
    assert (scale["kind"], scale["spec"]["replicas"]) == ("Scale", 1)
    assert scale["status"]["selector"] == "app=scaled"
    assert server.ask("PATCH", f"{path}/scale", {"spec": {"replicas": 3}}, patch="merge").code == 200
    assert server.get(path).body["spec"]["replicas"] == 3
    assert server.ask("PUT", f"{path}/scale", {**scale, "spec": {"replicas": 4}}).code == 409


def apply(server: Server, name: str, manager: str, *, force: bool = False, **spec: object) -> Answer:
    body = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": spec}
    query = {"fieldManager": manager, **({"force": "true"} if force else {})}
    return server.ask("PATCH", f"{SERVICES}/{name}", body, query=query, patch="apply")


def test_apply_creates_and_remembers_its_fields(server: Server) -> None:
    made = apply(server, "applied", "one", ports=[{"port": 80}], selector={"a": "b"})
    assert made.code == 201
    entry = made.body["metadata"]["managedFields"][0]
    assert (entry["manager"], entry["operation"]) == ("one", "Apply")
    assert entry["fieldsV1"]["f:spec"]["f:ports"] == {'k:{"port":80,"protocol":"TCP"}': {".": {}, "f:port": {}}}
    again = apply(server, "applied", "one", ports=[{"port": 80}], selector={"a": "b"})
    assert again.body["metadata"]["resourceVersion"] == made.body["metadata"]["resourceVersion"]
    more = apply(server, "applied", "one", ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81}])
    assert [port["port"] for port in more.body["spec"]["ports"]] == [80, 81]
    less = apply(server, "applied", "one", ports=[{"port": 80}])
    assert less.body["spec"]["ports"] == [{"port": 80, "protocol": "TCP", "targetPort": 80}]
    assert "selector" not in less.body["spec"] and less.body["spec"]["clusterIP"]


def test_apply_conflicts_with_another_owner(server: Server) -> None:
    apply(server, "contested", "one", ports=[{"port": 80}], selector={"a": "b"})
    other = apply(server, "contested", "two", ports=[{"port": 80}], selector={"a": "c"})
    assert other.code == 409
    assert other.message == 'Apply failed with 1 conflict: conflict with "one": .spec.selector.a'
    cause = other.body["details"]["causes"][0]
    assert cause["reason"] == "FieldManagerConflict" and cause["field"] == ".spec.selector.a"
    forced = apply(server, "contested", "two", force=True, ports=[{"port": 80}], selector={"a": "c"})
    assert forced.body["spec"]["selector"] == {"a": "c"}
    shared = apply(server, "contested", "one", ports=[{"port": 80}])
    assert shared.body["spec"]["selector"] == {"a": "c"}, "the field belongs to two now"
    server.ask("PATCH", f"{SERVICES}/contested", {"spec": {"selector": {"a": "d"}}}, patch="merge")
    assert apply(server, "contested", "two", ports=[{"port": 80}], selector={"a": "c"}).code == 409


def test_apply_to_an_older_object(server: Server) -> None:
    server.service("older", selector={"a": "b"})
    assert apply(server, "older", "one", selector={"a": "b"}).code == 200
    refused = server.ask("PATCH", f"{SERVICES}/older", {"spec": {}}, patch="apply")
    assert refused.code == 400 and "fieldManager" in refused.message
