"""What a case does to the cluster itself; only ever called while the Lease is held.

Rules are deleted from kube-proxy's own pod, and its own tables alone: a flush of the whole ruleset does the same to
kube-proxy, but takes away what belongs to others too, who may never write it again.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, assert_never

from conformance.arrange.waits import PROXY_BACK, PROXY_GONE, converge
from conformance.cluster.api import Cluster
from conformance.cluster.grants import Grant
from conformance.cluster.output import completed
from conformance.cluster.paths import kind
from conformance.cluster.pods import KUBE_PROXY, SYSTEM, PodRef
from conformance.errors import ClusterError
from conformance.model.case import Disruption

JSON = dict[str, Any]
GRANTS = (Grant("delete", "pods", SYSTEM),)
_TABLES = ("ip kube-proxy", "ip6 kube-proxy")
_DELETION = "; ".join(f"{verb} table {table}" for table in _TABLES for verb in ("add", "delete"))
"""Added first, so that a table which is not there is no error."""


@dataclass
class Disturbing:
    """What has been disturbed and is not known to be well again."""

    cluster: Cluster
    bare_since: float | None = None
    """When (monotonic) the rules of a node were deleted that nobody has seen in force again."""
    _away: dict[str, set[str]] = field(default_factory=dict)  # node -> UIDs of the pods that were deleted
    _bare: set[str] = field(default_factory=set)  # nodes whose rules were deleted

    def begin(self, what: Disruption, node: str) -> None:
        """Return while it lasts; `ClusterError` where it cannot be done here."""
        match what:
            case Disruption.RESTART_PROXY:
                self._restart_proxy(node)
            case Disruption.DELETE_RULES:
                self._delete_rules(node)
            case _:
                assert_never(what)

    def recover(self) -> None:
        """Wait until all is well again; `NotConverged` when it is not in time.

        Where rules were deleted a restart of kube-proxy brings them back: by itself it may take an hour.
        """
        for node in list(self._bare - self._away.keys()):
            self._restart_proxy(node)
        self._bare.clear()
        for node in list(self._away):
            converge(PROXY_BACK, partial(self._proxies, node), partial(_not_back, before=self._away[node]))
            del self._away[node]

    def mended(self) -> str:
        """To be told that every node serves again: how long that took after rules were deleted, empty if none were."""
        if self.bare_since is None:
            return ""
        seconds, self.bare_since = time.monotonic() - self.bare_since, None
        return f"the node served again {seconds:.0f} s after kube-proxy's tables had been deleted"

    def _delete_rules(self, node: str) -> None:
        proxies = [p for p in self._proxies(node) if (p.get("status") or {}).get("phase") == "Running"]
        if not proxies:
            raise ClusterError(f"No kube-proxy pod runs on {node}.", "Such cases need a kube-proxy that runs in pods.")
        names = [c["name"] for c in proxies[0]["spec"]["containers"]]
        container = "kube-proxy" if "kube-proxy" in names else names[0]
        self._bare.add(node)
        ended = completed(
            self.cluster, PodRef(SYSTEM, proxies[0]["metadata"]["name"]), "nft", _DELETION, container=container
        )
        if ended.code:
            raise ClusterError(
                f"kube-proxy's tables on {node} cannot be deleted: {ended.errors.strip()[:200]}.",
                "Is there an nft in kube-proxy's image?",
            )
        self.bare_since = time.monotonic()

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
