"""What a case does to the cluster itself; only ever called while the Lease is held."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, assert_never

from conformance.arrange.waits import PROXY_BACK, PROXY_GONE, converge
from conformance.cluster.api import Cluster
from conformance.cluster.grants import Grant
from conformance.cluster.paths import kind
from conformance.cluster.pods import KUBE_PROXY, SYSTEM
from conformance.errors import ClusterError
from conformance.model.case import Disruption

JSON = dict[str, Any]
GRANTS = (Grant("delete", "pods", SYSTEM),)


@dataclass
class Disturbing:
    """What has been disturbed and is not known to be well again."""

    cluster: Cluster
    _away: dict[str, set[str]] = field(default_factory=dict)  # node -> UIDs of the pods that were deleted

    def begin(self, what: Disruption, node: str) -> None:
        """Return while it lasts; `ClusterError` where it cannot be done here."""
        match what:
            case Disruption.RESTART_PROXY:
                self._restart_proxy(node)
            case _:
                assert_never(what)

    def recover(self) -> None:
        """Wait until all is well again; `NotConverged` when it is not in time."""
        for node in list(self._away):
            converge(PROXY_BACK, partial(self._proxies, node), partial(_not_back, before=self._away[node]))
            del self._away[node]

    def _restart_proxy(self, node: str) -> None:
        mine = [p for p in self._proxies(node) if _remade(p)]
        if not mine:
            raise ClusterError(
                f"No DaemonSet's pod {KUBE_PROXY} of {SYSTEM} runs on {node}: its kube-proxy cannot be restarted.",
                "Such cases need a kube-proxy that runs in pods.",
            )
        uids = self._away[node] = {p["metadata"]["uid"] for p in mine}
        for one in mine:
            self.cluster.delete(kind("Pod").path(SYSTEM, one["metadata"]["name"]))
        converge(PROXY_GONE, partial(self._proxies, node), partial(_there, uids=uids))

    def _proxies(self, node: str) -> list[JSON]:
        every = self.cluster.objects("Pod", SYSTEM, KUBE_PROXY)
        return [p for p in every if p["spec"].get("nodeName") == node]


def _remade(pod: JSON) -> bool:
    """Whether somebody makes it anew: to delete the mirror of a static pod restarts nothing."""
    return any(o.get("kind") == "DaemonSet" for o in pod["metadata"].get("ownerReferences") or ())


def _there(pods: Iterable[JSON], uids: set[str]) -> str:
    return ", ".join(p["metadata"]["name"] for p in pods if p["metadata"]["uid"] in uids)


def _not_back(pods: Iterable[JSON], before: set[str]) -> str:
    fresh = [p for p in pods if p["metadata"]["uid"] not in before]
    conditions = {(c.get("type"), c.get("status")) for p in fresh for c in p["status"].get("conditions") or ()}
    if ("Ready", "True") in conditions:
        return ""
    return ", ".join(f"{p['metadata']['name']} is not Ready" for p in fresh) or "no new pod"
