"""Who one is, and what one may do."""

from __future__ import annotations

import ssl
import time
from datetime import timedelta

import pytest

from conformance.lab.api.certificates import Authority
from conformance.lab.api.tokens import Claims, TokenKey
from tests.lab.api.apiserver import Answer, Json, Server

RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"
PODS = "/api/v1/namespaces/default/pods"


def as_user(server: Server, user: str, method: str, path: str, body: object = None, *groups: str) -> Answer:
    if not (server.state / f"{user}.crt").exists():
        server.authority.issue(user, user, groups)
    return server.ask(method, path, body, certificate=user)


def bearer(server: Server, token: str, path: str = PODS) -> Answer:
    return server.ask("GET", path, headers={"Authorization": f"Bearer {token}"}, certificate=None)


def grant(server: Server, name: str, subject: Json, *rules: Json, namespace: str = "") -> None:
    scope = f"{RBAC}/namespaces/{namespace}" if namespace else RBAC
    role, kind = (f"{scope}/roles", "Role") if namespace else (f"{scope}/clusterroles", "ClusterRole")
    server.made(role, {"metadata": {"name": name}, "rules": list(rules)})
    binding = {"metadata": {"name": name}, "roleRef": {"kind": kind, "name": name}, "subjects": [subject]}
    server.made(f"{scope}/{'rolebindings' if namespace else 'clusterrolebindings'}", binding)


def rule(verbs: str, resources: str, **more: object) -> Json:
    return {"apiGroups": [""], "verbs": verbs.split(), "resources": resources.split(), **more}


def test_a_stranger_may_only_see_health_and_version(server: Server) -> None:
    assert server.ask("GET", "/readyz", certificate=None).body == {"text": "ok"}
    assert server.ask("GET", "/version", certificate=None).body["gitVersion"] == "v1.36.2+nftconform.lab"
    refused = server.ask("GET", PODS, certificate=None)
    assert (refused.code, refused.body["reason"]) == (403, "Forbidden")
    assert refused.message == (
        'pods is forbidden: User "system:anonymous" cannot list resource "pods" in API group "" '
        'in the namespace "default"'
    )
    assert server.ask("GET", "/metrics", certificate=None).message == (
        'forbidden: User "system:anonymous" cannot get path "/metrics"'
    )


def test_a_user_may_do_what_a_role_says_and_no_more(server: Server) -> None:
    user = {"kind": "User", "name": "reader"}
    grant(server, "reader", user, rule("get list", "pods"), namespace="default")
    assert as_user(server, "reader", "GET", PODS).code == 200
    refused = as_user(server, "reader", "POST", f"{PODS}/x/exec?command=y")
    assert refused.message == (
        'pods "x" is forbidden: User "reader" cannot create resource "pods/exec" in API group "" '
        'in the namespace "default"'
    )
    assert refused.body["details"] == {"name": "x", "kind": "pods"}
    assert as_user(server, "reader", "GET", "/api/v1/pods").message.endswith("at the cluster scope")
    assert as_user(server, "reader", "GET", "/api/v1/namespaces/kube-system/pods").code == 403
    assert as_user(server, "reader", "GET", "/api").code == 200
    server.ask("DELETE", f"{RBAC}/namespaces/default/rolebindings/reader")
    assert as_user(server, "reader", "GET", PODS).code == 403


def test_a_binding_must_say_whom_it_binds(server: Server) -> None:
    binding = {"metadata": {"name": "odd"}, "roleRef": {"kind": "ClusterRole", "name": "view"}}
    path = f"{RBAC}/clusterrolebindings"
    assert "subjects[0].kind" in server.create(path, {**binding, "subjects": [{"name": "x"}]}).causes
    account = {"kind": "ServiceAccount", "name": "x"}
    assert server.create(path, {**binding, "subjects": [account]}).causes == {"subjects[0].namespace": "Required value"}
    role = {"roleRef": {"kind": "Role", "name": "view"}, "metadata": {"name": "odd"}}
    assert "roleRef.kind" in server.create(path, role).causes


def test_groups_names_and_subresources(server: Server) -> None:
    only = rule("get", "configmaps", resourceNames=["kube-proxy"])
    grant(server, "staff", {"kind": "Group", "name": "staff"}, only, rule("patch", "*/status"))
    maps = "/api/v1/namespaces/kube-system/configmaps"
    assert as_user(server, "alice", "GET", f"{maps}/kube-proxy", None, "staff").code == 404
    assert as_user(server, "alice", "GET", f"{maps}/other").code == 403
    nodes = "/api/v1/nodes/none"
    assert as_user(server, "alice", "PATCH", f"{nodes}/status", {}).code in (404, 415)
    assert as_user(server, "alice", "PATCH", nodes, {}).code == 403


def test_reviews_answer_as_requests_would(server: Server) -> None:
    grant(server, "asker", {"kind": "User", "name": "asker"}, rule("get", "pods"), namespace="default")

    def may(verb: str, **attributes: str) -> bool:
        spec = {"resourceAttributes": {"verb": verb, "namespace": "default", **attributes}}
        answer = as_user(server, "asker", "POST", f"{REVIEWS}/selfsubjectaccessreviews", {"spec": spec})
        assert answer.code == 201
        allowed: bool = answer.body["status"]["allowed"]
        return allowed

    assert may("get", resource="pods")
    assert not may("create", resource="pods", subresource="exec")
    rules = as_user(server, "asker", "POST", f"{REVIEWS}/selfsubjectrulesreviews", {"spec": {"namespace": "default"}})
    assert rule("get", "pods") in rules.body["status"]["resourceRules"]
    other = {"spec": {"user": "asker", "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": "x"}}}
    assert server.create(f"{REVIEWS}/subjectaccessreviews", other).body["status"]["allowed"] is False
    me = as_user(server, "asker", "POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    assert me.body["status"]["userInfo"]["username"] == "asker"


def test_impersonation_is_a_right(server: Server) -> None:
    headers = {"Impersonate-User": "nobody-special"}
    assert server.ask("GET", PODS, headers=headers).code == 403
    server.authority.issue("pretender", "pretender")
    refused = server.ask("GET", PODS, headers={"Impersonate-User": "kubernetes-admin"}, certificate="pretender")
    assert 'cannot impersonate resource "users"' in refused.message


def test_tokens_are_requested_checked_and_expire(server: Server) -> None:
    accounts = "/api/v1/namespaces/default/serviceaccounts"
    uid = server.made(accounts, {"metadata": {"name": "robot"}})["metadata"]["uid"]
    request = server.made(f"{accounts}/robot/token", {"spec": {"expirationSeconds": 600}})
    token = request["status"]["token"]
    named = "system:serviceaccount:default:robot"
    assert f'User "{named}"' in bearer(server, token).message
    account = {"kind": "ServiceAccount", "name": "robot", "namespace": "default"}
    grant(server, "robot", account, rule("list", "pods"), namespace="default")
    assert bearer(server, token).code == 200
    review = server.create("/apis/authentication.k8s.io/v1/tokenreviews", {"spec": {"token": token}})
    assert review.body["status"]["user"]["username"] == named
    short = server.create(f"{accounts}/robot/token", {"spec": {"expirationSeconds": 60}})
    assert short.code == 422 and "less than 10 minutes" in short.message

    key = TokenKey((server.state / "sa.key").read_bytes())
    late = key.sign(Claims("default", "robot", uid, time.time() - 1, ()))
    for bad in (late, token[:-3] + "AAA", "nonsense", "a.b.c"):
        answer = bearer(server, bad)
        assert (answer.code, answer.body["reason"], answer.message) == (401, "Unauthorized", "Unauthorized")
    server.ask("DELETE", f"{accounts}/robot")
    assert bearer(server, token).code == 401


def test_certificates_expire_and_must_be_ours(server: Server) -> None:
    server.authority.issue("late", "late", ("system:masters",), lifetime=timedelta(seconds=-60))
    answer = server.ask("GET", PODS, certificate="late")
    assert (answer.code, answer.message) == (401, "Unauthorized")
    foreign = Authority(server.state / "foreign")
    foreign.issue("mallory", "kubernetes-admin", ("system:masters",))
    with pytest.raises((ssl.SSLError, ConnectionError)):
        server.ask("GET", PODS, certificate="foreign/mallory")
