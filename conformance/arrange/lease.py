"""A coordination.k8s.io Lease that one run holds at a time: what disturbs a cluster is done by one alone."""

from __future__ import annotations

import contextlib
import getpass
import os
import socket
import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from conformance.arrange.run import MANAGED_BY, MANAGER, RUN
from conformance.cluster.api import Cluster
from conformance.cluster.failures import ApiRefused
from conformance.cluster.grants import Grant
from conformance.cluster.paths import kind
from conformance.errors import ClusterError
from conformance.model.printable import short

JSON = dict[str, Any]
NAMESPACE, NAME = "default", "nftconform"
"""In every cluster, and no run's own."""
DURATION = 60.0
"""Seconds after which a Lease that nobody renewed is free: its holder was killed, or cannot reach the API."""
TAKEN = 409
_LEASES = "leases.coordination.k8s.io"
LOOK = Grant("get", _LEASES, NAMESPACE, (NAME,))
GRANTS = (
    LOOK,
    Grant("create", _LEASES, NAMESPACE),
    *(Grant(verb, _LEASES, NAMESPACE, (NAME,)) for verb in ("delete", "update")),
)


class LeaseHeld(ClusterError):
    """Another run holds the Lease, or has taken ours over."""


def holder_name() -> str:
    """Who we are, as another run's user reads it."""
    with contextlib.suppress(KeyError, OSError):  # a container's user need not have a name
        return f"{getpass.getuser()}@{socket.gethostname()} (process {os.getpid()})"
    return f"{socket.gethostname()} (process {os.getpid()})"


def check_free(cluster: Cluster) -> None:
    """Raise `LeaseHeld` when somebody is disturbing the cluster now; who may not read the Lease is not told."""
    try:
        found = cluster.find(_path(NAME))
    except ApiRefused:
        return
    if found and not expired(found, datetime.now(UTC)):
        raise _held(found)


def check_holding(cluster: Cluster, holder: str) -> None:
    """Raise `LeaseHeld` unless the Lease is ``holder``'s now: nothing may be disturbed any more."""
    found = cluster.find(_path(NAME)) or {}
    spec = found.get("spec") or {}
    if spec.get("holderIdentity") != holder or expired(found, datetime.now(UTC)):
        raise LeaseHeld(
            f"The Lease {NAMESPACE}/{NAME} is this run's no more: nothing is disturbed from here on.",
            "Run the disruptive cases again.",
        )


@dataclass
class Lease:
    """A context manager: holds the Lease and renews it until it is left; `LeaseHeld` when somebody else has it."""

    cluster: Cluster
    holder: str = field(default_factory=holder_name)
    duration: float = DURATION
    _object: JSON = field(default_factory=dict)
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._object = self._take()
        self._thread = threading.Thread(target=self._renew, name="lease", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind_: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None
    ) -> None:
        self._ended.set()
        if self._thread:
            self._thread.join()
        with contextlib.suppress(ClusterError):  # it is another's by now, or expires by itself
            self.cluster.delete(_path(NAME), version=self._object["metadata"]["resourceVersion"])

    def _take(self) -> JSON:
        try:
            found = self.cluster.find(_path(NAME))
            now = datetime.now(UTC)
            if found is None:
                return self.cluster.create(_path(), self._body({}, now, now))
            if not expired(found, now):
                raise _held(found)
            return self.cluster.update(_path(NAME), self._body(found, now, now))
        except ApiRefused as no:
            if no.status != TAKEN:
                raise
            raise LeaseHeld("Another run has just begun to disturb this cluster.", "Try again when it is done.") from no

    def _renew(self) -> None:
        """Every third of its time; what fails is tried again, and who asks `check_holding` learns that it is lost."""
        since = datetime.fromisoformat(self._object["spec"]["acquireTime"])
        while not self._ended.wait(self.duration / 3):
            with contextlib.suppress(ClusterError):
                self._object = self.cluster.update(_path(NAME), self._body(self._object, since, datetime.now(UTC)))

    def _body(self, found: JSON, since: datetime, now: datetime) -> JSON:
        """With the version that was read, so that of two who write one is refused."""
        kept = {key: v for key, v in (found.get("metadata") or {}).items() if key in ("resourceVersion", "uid")}
        labels = {MANAGED_BY: MANAGER, RUN: "lease"}
        spec = {
            "holderIdentity": self.holder,
            "leaseDurationSeconds": int(self.duration),
            "acquireTime": _time(since),
            "renewTime": _time(now),
        }
        metadata = {"name": NAME, "namespace": NAMESPACE, "labels": labels, **kept}
        return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}


def expired(lease: JSON, now: datetime) -> bool:
    """Whether its holder has let it run out; a Lease that does not say is free."""
    spec = lease.get("spec") or {}
    try:
        until = datetime.fromisoformat(spec["renewTime"]) + timedelta(seconds=int(spec["leaseDurationSeconds"]))
        return not spec.get("holderIdentity") or until < now
    except (KeyError, TypeError, ValueError, OverflowError):  # TypeError: also a time without its zone
        return True


def _held(lease: JSON) -> LeaseHeld:
    spec = {key: short(str(value)) for key, value in lease["spec"].items()}
    return LeaseHeld(
        f"{spec['holderIdentity']} disturbs this cluster on purpose since {spec.get('acquireTime', 'some time')} "
        f"(Lease {NAMESPACE}/{NAME}).",
        f"Wait until it is done; if it was killed, until {spec['leaseDurationSeconds']} s after {spec['renewTime']}.",
    )


def _path(name: str | None = None) -> str:
    return kind("Lease").path(NAMESPACE, name)


def _time(at: datetime) -> str:
    """As metav1.MicroTime is written."""
    return at.isoformat(timespec="microseconds").replace("+00:00", "Z")
