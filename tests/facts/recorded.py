"""A cluster of a file: the API as far as facts ask it. What is not in the file is not there; no other call is known."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import yaml

from conformance.cluster.api import Cluster
from conformance.cluster.failures import refused
from conformance.cluster.pods import KUBE_PROXY
from conformance.facts.ask import CONTROL_PLANE

JSON = dict[str, Any]
CLUSTERS = sorted(Path(__file__).parent.glob("clusters/*.yaml"))


@dataclass
class Recorded:
    """``denied`` are verb and resource pairs, e.g. ``list daemonsets.apps``, that RBAC does not permit anywhere."""

    objects_: list[JSON]
    version_: str
    pages: Mapping[str, str] = field(default_factory=dict)
    denied: frozenset[str] = frozenset()
    asked: set[str] = field(default_factory=set)

    def version(self) -> str:
        return self.version_

    def may(self, verb: str, resource: str, namespace: str, *, subresource: str) -> bool:
        assert (verb, resource, namespace, subresource) == ("create", "pods", "", "exec")
        return True

    def find(self, path: str) -> JSON | None:
        *_, plural, name = path.strip("/").split("/")
        self._permit("get", path, plural)
        where = path.split("/namespaces/")[1].split("/", maxsplit=1)[0] if "/namespaces/" in path else None
        return next(
            (
                o
                for o in self.objects_
                if f"{o['kind'].lower()}s" == plural
                and o["metadata"]["name"] == name
                and o["metadata"].get("namespace") == where
            ),
            None,
        )

    def objects(self, kind_name: str, namespace: str | None = None, selector: str = "") -> list[JSON]:
        plural = {"ServiceCIDR": "servicecidrs"}.get(kind_name, f"{kind_name.lower()}s")
        group = "apps" if kind_name in ("DaemonSet", "Deployment") else ""
        self._permit("list", f"/apis/{group}/v1/" if group else "/api/v1/", plural)
        those = [o for o in self.objects_ if o["kind"] == kind_name]
        if kind_name == "ServiceCIDR" and not those:
            raise refused(404, b"", "GET servicecidrs")
        inside = [o for o in those if namespace in (None, o["metadata"].get("namespace"))]
        return [o for o in inside if _selected(o, selector)]

    def page(self, path: str) -> str:
        self._permit("get", "/api/v1/", "pods/proxy")
        name, port = path.split("/pods/")[1].split("/", maxsplit=1)[0].split(":")
        assert port == "10249"
        return self.pages[name]

    def _permit(self, verb: str, path: str, plural: str) -> None:
        group = path.split("/")[2] if path.startswith("/apis/") else ""
        resource = f"{plural}.{group}" if group else plural
        self.asked.add(f"{verb} {resource}")
        if f"{verb} {resource}" in self.denied:
            message = f'User "u" cannot {verb} resource "{plural}" in API group "{group}" at the cluster scope'
            raise refused(403, json.dumps({"reason": "Forbidden", "message": message}).encode(), f"{verb} {plural}")


def read(path: Path, *denied: str) -> tuple[Recorded, JSON]:
    """The cluster in ``path``, and the whole file."""
    held: JSON = yaml.safe_load(path.read_text())
    return Recorded(held["objects"], held["version"], held.get("pages", {}), frozenset(denied)), held


def cluster(recorded: Recorded) -> Cluster:
    return cast(Cluster, recorded)


def _selected(obj: JSON, selector: str) -> bool:
    labels: dict[str, str] = obj["metadata"].get("labels", {})
    match selector:
        case "":
            return True
        case x if x == CONTROL_PLANE:
            return labels.get("component") in ("kube-apiserver", "kube-controller-manager", "kube-proxy")
        case x if x == KUBE_PROXY:
            return labels.get("k8s-app") == "kube-proxy"
        case _:
            raise AssertionError(selector)
