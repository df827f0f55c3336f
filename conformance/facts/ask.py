"""The questions themselves: each comes back with an answer or a reason, and one that is refused stops no other."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

from conformance.cluster.failures import ApiRefused
from conformance.cluster.paths import kind
from conformance.cluster.pods import KUBE_PROXY, SYSTEM
from conformance.errors import ClusterError
from conformance.facts.answer import JSON, Answer, at, denied, text

CONTROL_PLANE = "component in (kube-apiserver,kube-controller-manager,kube-proxy)"
"""As kubeadm, RKE2 and GKE label static pods."""
PROXIES_ASKED = 16
"""Through the API server one by one: a sample is enough to notice that nodes differ, their own agents ask them all."""

_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?")
"""What comes from a cluster becomes part of a path only if it is a name."""


class Api(Protocol):
    """What facts ask: a cluster's API, or what somebody has saved of one. Methods raise `ApiRefused`."""

    def version(self) -> str:
        """``gitVersion`` of the API server."""
        ...

    def find(self, path: str) -> JSON | None:
        """One object, or None when it does not exist."""
        ...

    def objects(self, kind_name: str, namespace: str | None = None, selector: str = "") -> list[JSON]:
        """All objects of a kind, in one namespace or all, with these labels."""
        ...

    def page(self, path: str) -> str:
        """What a pod answers through the API server's proxy."""
        ...

    def may(self, verb: str, resource: str, namespace: str, *, subresource: str) -> bool:
        """Whether we are allowed to."""
        ...


def one(cluster: Api, kind_name: str, name: str, namespace: str | None = None) -> Answer[JSON]:
    """An object by name, which is ours and not the cluster's; the namespace may be, so that it is checked."""
    if namespace and not _NAME.fullmatch(namespace):
        return Answer(None, f"'{namespace}' is no namespace")
    there = f"{namespace}/{name}" if namespace else name
    try:
        found = cluster.find(kind(kind_name).path(namespace, name))
    except ApiRefused as no:
        return Answer(None, _why(no, f"get {kind(kind_name).resource}", namespace))
    return Answer(found, f"{kind_name} {there}" if found else f"there is no {kind_name} {there}")


def many(cluster: Api, kind_name: str, namespace: str | None = None, selector: str = "") -> Answer[list[JSON]]:
    """All objects of a kind, in one namespace or in all."""
    try:
        found = cluster.objects(kind_name, namespace, selector)
    except ApiRefused as no:
        if no.status == 404:
            return Answer(None, f"the API has no {kind_name} objects")
        return Answer(None, _why(no, f"list {kind(kind_name).resource}", namespace))
    return Answer(found, f"{kind_name}s" + (f" of {namespace}" if namespace else ""))


def workloads(cluster: Api) -> tuple[Answer[list[JSON]], ...]:
    """DaemonSets and Deployments of all namespaces, or where that is not permitted those of kube-system, and why."""
    return (*_wide(cluster, "DaemonSet"), *_wide(cluster, "Deployment"))


def proxy_modes(cluster: Api, pods: Iterable[JSON], port: int) -> tuple[Mapping[str, str | None], str]:
    """What the kube-proxy in each of ``pods`` answers to /proxyMode, by node; and why where none does."""
    named = sorted((text(at(p, "spec", "nodeName")), text(at(p, "metadata", "name"))) for p in pods)
    asked = [(node, pod) for node, pod in named if _NAME.fullmatch(pod)]
    answers: dict[str, str | None] = {node: None for node, _ in asked}
    why = [f"no kube-proxy pod with {KUBE_PROXY} in {SYSTEM}"] if not asked else []

    def ask(pod: str) -> Answer[str]:
        path = kind("Pod").path(SYSTEM, f"{pod}:{port}", "proxy/proxyMode")
        try:
            return Answer(cluster.page(path), "")
        except ApiRefused as no:
            return Answer(None, _why(no, "get pods/proxy", SYSTEM))
        except ClusterError as lost:
            return Answer(None, lost.cause)

    with ThreadPoolExecutor(PROXIES_ASKED // 2) as pool:
        some = asked[:PROXIES_ASKED]
        for (node, _), answer in zip(some, pool.map(ask, [pod for _, pod in some]), strict=True):
            answers[node] = answer.found
            why += [answer.where] if answer.found is None else []
    return answers, f"no kube-proxy answered /proxyMode through the API server: {why[0]}" if why else ""


def _wide(cluster: Api, kind_name: str) -> tuple[Answer[list[JSON]], ...]:
    everywhere = many(cluster, kind_name)
    if everywhere.found is not None:
        return (everywhere,)
    inside = many(cluster, kind_name, SYSTEM)
    return (everywhere,) if inside.found is None else (inside, everywhere)


def _why(no: ApiRefused, verb_and_resource: str, namespace: str | None) -> str:
    """A refusal as a reason, with the permission that would help; expired credentials would fail every question."""
    if no.status == 401:
        raise no
    if no.status == 403 and no.denied:
        return denied(f"{verb_and_resource} in {namespace}" if namespace else verb_and_resource)
    return no.cause.rstrip(".")
