"""Watches: nothing lost, nothing twice, in order."""

from __future__ import annotations

import pytest

from tests.lab.api.apiserver import Json, Server


def maps(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/configmaps"


def labelled(name: str, **labels: str) -> Json:
    return {"metadata": {"name": name, "labels": labels}}


def test_a_watch_without_a_version_begins_with_what_there_is(server: Server, namespace: str) -> None:
    server.made(maps(namespace), labelled("a"))
    with server.watch(maps(namespace)) as events:
        assert (next(events)[0], next(iter(["live"]))) == ("ADDED", "live")
        server.made(maps(namespace), labelled("b"))
        server.ask("PATCH", f"{maps(namespace)}/b", {"data": {"x": "y"}}, patch="merge")
        server.ask("DELETE", f"{maps(namespace)}/b")
        seen = [next(events) for _ in range(3)]
    assert [kind for kind, _ in seen] == ["ADDED", "MODIFIED", "DELETED"]
    versions = [int(obj["metadata"]["resourceVersion"]) for _, obj in seen]
    assert versions == sorted(set(versions))


def test_a_watch_continues_after_its_version(server: Server, namespace: str) -> None:
    version = server.get(maps(namespace)).body["metadata"]["resourceVersion"]
    for name in "abc":
        server.made(maps(namespace), labelled(name))
    with server.watch(maps(namespace), resourceVersion=version, timeoutSeconds="1") as events:
        assert [(kind, obj["metadata"]["name"]) for kind, obj in events] == [
            (k, n) for k, n in zip(["ADDED"] * 3, "abc", strict=True)
        ]


def test_selectors_turn_changes_into_arrivals_and_departures(server: Server, namespace: str) -> None:
    server.made(maps(namespace), labelled("a", on="no"))
    version = server.get(maps(namespace)).body["metadata"]["resourceVersion"]
    with server.watch(maps(namespace), labelSelector="on=yes", resourceVersion=version) as events:
        for value in ("yes", "yes", "no", "yes"):
            body = {"metadata": {"labels": {"on": value}}, "data": {"v": value}}
            server.ask("PATCH", f"{maps(namespace)}/a", body, patch="merge")
            server.ask("PATCH", f"{maps(namespace)}/a", {"data": {"w": value}}, patch="merge")
        server.ask("DELETE", f"{maps(namespace)}/a")
        kinds = [next(events)[0] for _ in range(6)]
    assert kinds == ["ADDED", "MODIFIED", "DELETED", "ADDED", "MODIFIED", "DELETED"]


def test_initial_events_end_with_a_bookmark(server: Server, namespace: str) -> None:
    server.made(maps(namespace), labelled("a"))
    query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
    with server.watch(maps(namespace), **query) as events:
        assert next(events)[0] == "ADDED"
        kind, mark = next(events)
    assert kind == "BOOKMARK"
    assert mark["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}
    refused = server.get(maps(namespace), watch="true", sendInitialEvents="true")
    assert refused.code == 422 and "resourceVersionMatch" in refused.message


def test_a_watch_of_one_namespace_does_not_see_another(server: Server, namespace: str) -> None:
    version = server.get(maps(namespace)).body["metadata"]["resourceVersion"]
    server.made(maps("default"), labelled(f"elsewhere-{namespace}"[:60]))
    with server.watch(maps(namespace), resourceVersion=version, timeoutSeconds="1") as events:
        assert list(events) == []


@pytest.mark.parametrize("version", ["x", "-1"])
def test_a_version_is_a_number(server: Server, version: str) -> None:
    assert server.get(maps("default"), watch="true", resourceVersion=version).code == 400


def test_a_table_watch_sends_rows(server: Server, namespace: str) -> None:
    server.made(maps(namespace), labelled("a"))
    connection = server.connect()
    accept = {"Accept": "application/json;as=Table;v=v1;g=meta.k8s.io,application/json"}
    connection.request("GET", f"{maps(namespace)}?watch=true&timeoutSeconds=1", headers=accept)
    first = connection.getresponse().readline()
    connection.close()
    assert b'"kind":"Table"' in first and b'"cells":["a",0,' in first
