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

from conformance.arrange.waits import DELETED, RENEWED, converge
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
    """What has been disturbed and is not known to be well again.

    ``agent`` is the DaemonSet of the pod network's agents (``namespace/name``), empty where it is not known.
    """

    cluster: Cluster
    agent: str = ""
    bare_since: float | None = None
    """When (monotonic) the rules of a node were deleted that nobody has seen in force again."""
    _away: dict[tuple[Disruption, str], set[str]] = field(default_factory=dict)
    """By what was done and the node: UIDs of the pods that were deleted."""
    _bare: set[str] = field(default_factory=set)  # nodes whose rules were deleted

    def begin(self, what: Disruption, node: str) -> None:
        """Return while it lasts; `ClusterError` where it cannot be done here."""
        match what:
            case Disruption.RESTART_PROXY | Disruption.RESTART_CNI_AGENT:
                self._restart(what, node)
            case Disruption.DELETE_RULES:
                self._delete_rules(node)
            case _:
                assert_never(what)

    def recover(self) -> None:
        """Wait until all is well again; `NotConverged` when it is not in time.

        Where rules were deleted a restart of kube-proxy brings them back: by itself it may take an hour.
        """
        proxy = Disruption.RESTART_PROXY
        for node in [node for node in self._bare if (proxy, node) not in self._away]:
            self._restart(proxy, node)
        self._bare.clear()
        for what, node in list(self._away):
            converge(RENEWED, partial(self._pods, what, node), partial(_not_back, before=self._away[what, node]))
            del self._away[what, node]

    def mended(self) -> str:
        """To be told that every node serves again: how long that took after rules were deleted, empty if none were."""
        if self.bare_since is None:
            return ""
        seconds, self.bare_since = time.monotonic() - self.bare_since, None
        return f"the node served again {seconds:.0f} s after kube-proxy's tables had been deleted"

    def _delete_rules(self, node: str) -> None:
        proxies = [
            p for p in self._pods(Disruption.RESTART_PROXY, node) if (p.get("status") or {}).get("phase") == "Running"
        ]
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

    def _restart(self, what: Disruption, node: str) -> None:
        mine = [p for p in self._pods(what, node) if _maker(p)]
        if not mine:
            agent = what is Disruption.RESTART_CNI_AGENT
            daemon = self.agent if agent else f"{KUBE_PROXY} of {SYSTEM}"
            who = "the pod network's agent" if agent else "its kube-proxy"
            raise ClusterError(
                f"No DaemonSet's pod {daemon} runs on {node}: {who} cannot be restarted.",
                "Such cases need a kube-proxy, or an agent, that runs in pods.",
            )
        uids = self._away[what, node] = {p["metadata"]["uid"] for p in mine}
        for one in mine:
            meta = one["metadata"]
            self.cluster.delete(kind("Pod").path(meta["namespace"], meta["name"]))
        converge(DELETED, partial(self._pods, what, node), partial(_there, uids=uids))

    def _pods(self, what: Disruption, node: str) -> list[JSON]:
        """Those that do the work which ``what`` disturbs, on ``node``."""
        namespace, _, daemon = self.agent.partition("/")
        if what is Disruption.RESTART_CNI_AGENT:
            every = [p for p in self.cluster.objects("Pod", namespace) if _maker(p) == daemon] if namespace else []
        else:
            every = self.cluster.objects("Pod", SYSTEM, KUBE_PROXY)
        return [p for p in every if p["spec"].get("nodeName") == node]


def _maker(pod: JSON) -> str:
    """The DaemonSet that makes it anew, if one does: to delete the mirror of a static pod restarts nothing."""
    owners = pod["metadata"].get("ownerReferences") or ()
    return next((str(o.get("name")) for o in owners if o.get("kind") == "DaemonSet"), "")


def _there(pods: Iterable[JSON], uids: set[str]) -> str:
    return ", ".join(p["metadata"]["name"] for p in pods if p["metadata"]["uid"] in uids)


def _not_back(pods: Iterable[JSON], before: set[str]) -> str:
    fresh = [p for p in pods if p["metadata"]["uid"] not in before]
    conditions = {(c.get("type"), c.get("status")) for p in fresh for c in p["status"].get("conditions") or ()}
    if ("Ready", "True") in conditions:
        return ""
    return ", ".join(f"{p['metadata']['name']} is not Ready" for p in fresh) or "no new pod"
