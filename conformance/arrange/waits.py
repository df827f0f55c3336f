"""Every wait of the kit for a cluster, in one table, and the one way of waiting."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from conformance.errors import ClusterError

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Wait:
    """What is waited for, for how long at most, how often one looks (seconds), and how many good looks in a row do."""

    what: str
    timeout: float
    every: float
    successes: int = 1
    hint: str = "See 'kubectl get events' in the run's namespaces."


ACCOUNT = Wait("the namespace's default service account", 30, 0.05, hint="Is kube-controller-manager running?")
PODS = Wait("the run's pods to be ready", 180, 0.2, hint="Check --agent-image, node taints and Pod Security.")
SLICES = Wait("EndpointSlices to hold the expected endpoints", 60, 0.1, hint="Is kube-controller-manager running?")
LOAD_BALANCERS = Wait("load balancers to have an address", 60, 0.2, hint="Is there a load balancer controller?")
SETTLED = Wait("the Service that was created last to answer everywhere", 60, 0.05, successes=3)
POLICED = Wait(
    "the NetworkPolicy that was made last to be in force", 60, 0.1, successes=2, hint="Does anything enforce policies?"
)
DELETED = Wait("the deleted pod of the DaemonSet to be gone", 90, 0.1, hint="See it with kubectl.")
RENEWED = Wait("the DaemonSet's next pod to be Ready", 180, 0.2, hint="See it with kubectl.")
GONE = Wait("the run's namespaces to be gone", 180, 0.3, hint="Run 'nftconform cleanup' later; finalizers may linger.")


class NotConverged(ClusterError):
    """The cluster did not get there in time; the cause carries its last state."""


def converge(wait: Wait, look: Callable[[], T], lacking: Callable[[T], str]) -> T:
    """What was seen when nothing was ``lacking`` any more, ``wait.successes`` times in a row.

    ``lacking`` names in a phrase what is missing in what ``look`` returned, or nothing. Changes are logged, once each.
    `NotConverged` with the last phrase when time is up.
    """
    deadline = time.monotonic() + wait.timeout
    said, good = "", 0
    while True:
        seen = look()
        missing = lacking(seen)
        if missing != said:
            log.info("waiting for %s: %s", wait.what, missing or "there")
            said = missing
        good = 0 if missing else good + 1
        if good >= wait.successes:
            return seen
        left = deadline - time.monotonic()
        if left <= 0:
            raise NotConverged(f"Gave up after {wait.timeout:.0f} s waiting for {wait.what}: {said}.", wait.hint)
        time.sleep(min(wait.every, left))
