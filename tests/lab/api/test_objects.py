"""Objects: created, read, listed, changed, deleted, as a real API server answers."""

from __future__ import annotations

import pytest

from tests.lab.api.apiserver import Json, Server, running


def config(name: str = "", **fields: object) -> Json:
    return {"metadata": {"name": name} if name else {"generateName": "x-"}, **fields}


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def test_a_new_object_is_stamped(server: Server, namespace: str) -> None:
    made = server.made(maps(namespace), config("a", data={"k": "v"}))
    metadata = made["metadata"]
    assert made["kind"] == "ConfigMap" and made["apiVersion"] == "v1"
    assert len(metadata["uid"]) == 36 and metadata["creationTimestamp"].endswith("Z")
    assert server.get(f"{maps(namespace)}/a").body == made


def test_names_are_generated_and_unique(server: Server, namespace: str) -> None:
    names = {server.made(maps(namespace), config())["metadata"]["name"] for _ in range(20)}
    assert len(names) == 20
    assert all(name.startswith("x-") and len(name) == 7 for name in names)


def test_the_same_name_twice_is_already_exists(server: Server, namespace: str) -> None:
    server.made(maps(namespace), config("a"))
    answer = server.create(maps(namespace), config("a"))
    assert (answer.code, answer.body["reason"]) == (409, "AlreadyExists")
    assert answer.message == 'configmaps "a" already exists'
    assert answer.body["details"] == {"name": "a", "kind": "configmaps"}


def test_what_is_not_there_is_not_found(server: Server) -> None:
    answer = server.get("/apis/apps/v1/namespaces/default/deployments/none")
    assert (answer.code, answer.body["reason"]) == (404, "NotFound")
    assert answer.message == 'deployments.apps "none" not found'
    assert server.create(maps("nowhere"), config("a")).message == 'namespaces "nowhere" not found'
    assert server.get("/api/v1/unicorns").message == "the server could not find the requested resource"
    assert server.ask("PUT", "/api/v1/namespaces/default/configmaps").code == 405


def test_an_update_of_an_old_version_is_a_conflict(server: Server, namespace: str) -> None:
    old = server.made(maps(namespace), config("a", data={"n": "1"}))
    new = server.ask("PUT", f"{maps(namespace)}/a", {**old, "data": {"n": "2"}})
    assert new.code == 200
    answer = server.ask("PUT", f"{maps(namespace)}/a", {**old, "data": {"n": "3"}})
    assert (answer.code, answer.body["reason"]) == (409, "Conflict")
    assert answer.message == (
        'Operation cannot be fulfilled on configmaps "a": the object has been modified; '
        "please apply your changes to the latest version and try again"
    )


def test_an_update_without_a_change_keeps_the_version(server: Server, namespace: str) -> None:
    old = server.made(maps(namespace), config("a", data={"n": "1"}))
    assert server.ask("PUT", f"{maps(namespace)}/a", old).body == old


def test_dry_run_leaves_nothing(server: Server, namespace: str) -> None:
    path = maps(namespace)
    answer = server.ask("POST", path, config("a"), query={"dryRun": "All"})
    assert answer.code == 201 and answer.body["metadata"]["uid"]
    assert server.get(f"{path}/a").code == 404
    server.made(path, config("b", data={"n": "1"}))
    server.ask("PATCH", f"{path}/b", {"data": {"n": "2"}}, query={"dryRun": "All"}, patch="merge")
    server.ask("DELETE", f"{path}/b", query={"dryRun": "All"})
    assert server.get(f"{path}/b").body["data"] == {"n": "1"}


def test_selectors(server: Server, namespace: str) -> None:
    path = maps(namespace)
    for name, labels in (("a", {"app": "x", "tier": "1"}), ("b", {"app": "y"}), ("c", {})):
        server.made(path, {"metadata": {"name": name, "labels": labels}})

    def names(**query: str) -> list[str]:
        return [each["metadata"]["name"] for each in server.get(path, **query).body["items"]]

    assert names() == ["a", "b", "c"]
    assert names(labelSelector="app=x") == ["a"]
    assert names(labelSelector="app!=x") == ["b", "c"]
    assert names(labelSelector="app in (x,y),!tier") == ["b"]
    assert names(labelSelector="app notin (x)") == ["b", "c"]
    assert names(labelSelector="app") == ["a", "b"]
    assert names(fieldSelector="metadata.name=b") == ["b"]
    assert names(fieldSelector="metadata.name!=b") == ["a", "c"]
    refused = server.get(path, fieldSelector="data.k=v")
    assert refused.code == 400 and "field label not supported: data.k" in refused.message
    assert server.get(path, labelSelector="a=b=c").code == 400


def test_pages_show_one_moment(server: Server, namespace: str) -> None:
    path = maps(namespace)
    for name in "abcde":
        server.made(path, config(name))
    first = server.get(path, limit="2").body
    assert first["metadata"]["remainingItemCount"] == 3
    server.ask("DELETE", f"{path}/d")
    server.made(path, config("cc"))
    token = first["metadata"]["continue"]
    rest = server.get(path, **{"limit": "500", "continue": token}).body
    assert [each["metadata"]["name"] for each in rest["items"]] == ["c", "d", "e"]
    assert rest["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]


def test_a_forgotten_moment_is_410(tmp_path_factory: pytest.TempPathFactory) -> None:
    with running(tmp_path_factory.mktemp("api"), "--history", "5") as server:
        for index in range(3):
            server.made(maps("default"), config(f"a{index}"))
        page = server.get(maps("default"), limit="1").body["metadata"]
        for index in range(10):
            server.made(maps("default"), config(f"b{index}"))
        answer = server.get(maps("default"), limit="1", **{"continue": page["continue"]})
        assert (answer.code, answer.body["reason"]) == (410, "Expired")
        with server.watch(maps("default"), resourceVersion="1") as events:
            kind, status = next(events)
            assert (kind, status["code"], status["reason"]) == ("ERROR", 410, "Expired")
            assert status["message"].startswith("too old resource version: 1 (")
            assert next(events, None) is None


def test_deletes_honour_preconditions(server: Server, namespace: str) -> None:
    path = maps(namespace)
    uid = server.made(path, config("a"))["metadata"]["uid"]
    answer = server.ask("DELETE", f"{path}/a", {"preconditions": {"uid": "other"}})
    assert answer.code == 409 and "Precondition failed: UID in precondition: other" in answer.message
    gone = server.ask("DELETE", f"{path}/a", {"preconditions": {"uid": uid}})
    assert gone.body["status"] == "Success"
    assert gone.body["details"] == {"name": "a", "kind": "configmaps", "uid": uid}


def test_a_finalizer_holds_an_object(server: Server, namespace: str) -> None:
    path = maps(namespace)
    server.made(path, {"metadata": {"name": "a", "finalizers": ["example.com/mine"]}})
    held = server.ask("DELETE", f"{path}/a").body
    assert held["metadata"]["deletionTimestamp"]
    refused = server.ask("PATCH", f"{path}/a", {"metadata": {"finalizers": ["x.io/new"]}}, patch="merge")
    assert refused.code == 422 and "no new finalizers can be added" in refused.message
    assert server.ask("PATCH", f"{path}/a", {"metadata": {"finalizers": None}}, patch="merge").code == 200
    assert server.get(f"{path}/a").code == 404


def test_collections_are_deleted_by_selector(server: Server, namespace: str) -> None:
    path = maps(namespace)
    for name in "abc":
        server.made(path, {"metadata": {"name": name, "labels": {"keep": str(name == "b").lower()}}})
    server.ask("DELETE", path, query={"labelSelector": "keep=false"})
    assert [each["metadata"]["name"] for each in server.get(path).body["items"]] == ["b"]


def test_a_namespace_goes_in_two_steps(server: Server, namespace: str) -> None:
    path = f"/api/v1/namespaces/{namespace}"
    going = server.ask("DELETE", path).body
    assert going["status"]["phase"] == "Terminating" and going["spec"]["finalizers"] == ["kubernetes"]
    refused = server.create(maps(namespace), config("a"))
    assert refused.code == 403
    assert refused.message == (
        f'configmaps "a" is forbidden: unable to create new content in namespace {namespace} '
        "because it is being terminated"
    )
    assert refused.body["details"]["causes"][0]["reason"] == "NamespaceTerminating"
    server.ask("PUT", f"{path}/finalize", {**going, "spec": {}})
    assert server.get(path).code == 404
    assert "this namespace may not be deleted" in server.ask("DELETE", "/api/v1/namespaces/default").message


def test_status_and_spec_are_written_apart(server: Server) -> None:
    path = "/api/v1/namespaces/default/services/apart"
    server.service("apart", type="LoadBalancer")
    reported = {"status": {"loadBalancer": {"ingress": [{"ip": "203.0.113.1"}]}}, "spec": {"type": "ClusterIP"}}
    both = server.ask("PATCH", f"{path}/status", reported, patch="merge").body
    assert both["spec"]["type"] == "LoadBalancer"
    assert both["status"]["loadBalancer"]["ingress"] == [{"ip": "203.0.113.1", "ipMode": "VIP"}]
    plain = server.ask("PATCH", path, {"status": {"loadBalancer": {}}}, patch="merge").body
    assert plain["status"] == both["status"]


def test_bad_bodies_are_refused(server: Server) -> None:
    path = maps("default")
    assert server.ask("POST", path, b"{").code == 400
    assert server.ask("POST", path, {"kind": "Pod", "metadata": {"name": "a"}}).code == 400
    assert (
        server.ask("POST", path, {"metadata": {"name": "Bad_Name"}})
        .causes["metadata.name"]
        .startswith('Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain')
    )
    bad = server.ask("POST", path, {"metadata": {"name": "a", "labels": {"k": "not ok"}}})
    assert bad.code == 422 and "a valid label must be an empty string" in bad.causes["metadata.labels"]
    assert server.ask("POST", path, config("a", data={"a b": "x"})).causes["data[a b]"].startswith("Invalid value")
    assert server.ask("PATCH", f"{path}/a", {}, headers={"Content-Type": "text/plain"}).code in (404, 415)


def test_unknown_fields_warn_or_fail(server: Server) -> None:
    body = {"metadata": {"name": "unknown-field"}, "spec": {"ports": [{"port": 80, "colour": "red"}]}}
    path = "/api/v1/namespaces/default/services"
    strict = server.ask("POST", path, body, query={"fieldValidation": "Strict"})
    assert strict.code == 400
    assert strict.message.endswith('strict decoding error: unknown field "spec.ports[0].colour"')
    warned = server.ask("POST", path, body)
    assert warned.warnings == ['299 - "unknown field \\"spec.ports[0].colour\\""']
    assert "colour" not in warned.body["spec"]["ports"][0]
    wrong = server.service("wrong-type", ports=[{"port": "80"}])
    assert wrong.code == 400
    assert "cannot unmarshal string into Go struct field ServicePort.spec.ports.port of type int32" in wrong.message


def test_events_have_two_forms(server: Server, namespace: str) -> None:
    old = f"/api/v1/namespaces/{namespace}/events"
    new = f"/apis/events.k8s.io/v1/namespaces/{namespace}/events"
    target = {"kind": "Pod", "name": "p", "namespace": namespace}
    server.made(old, {"metadata": {"name": "a"}, "involvedObject": target, "message": "hello", "reason": "R"})
    server.made(new, {"metadata": {"name": "b"}, "regarding": target, "note": "hi", "reason": "S"})
    assert server.get(f"{new}/a").body["note"] == "hello"
    assert server.get(f"{old}/b").body["involvedObject"] == target
    found = server.get(old, fieldSelector="involvedObject.name=p,reason=S").body["items"]
    assert [each["metadata"]["name"] for each in found] == ["b"]
