"""The names, labels and ports of one run, by which what it creates can be told from everything else."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.arrange.balancing import Balancing
from conformance.model.case.policy_spec import Space

AGENT_IMAGE = (
    "docker.io/library/python:3.12-alpine@sha256:6d43704baacd1bfbe7c295d7f13079d5d8104ed33568873133f8fc69980419df"
)
"""Any image with python3 >= 3.8 will do (``--agent-image``)."""

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "nftconform"
RUN = "nftconform.io/run"
ROLE = "nftconform.io/role"
ENDS = "ends.nftconform.io"
WHY = "nftconform.io/why-privileged"

# Between the usual services and the node ports (30000-32767), below Linux's ephemeral ports (32768-60999).
FIRST_PORT, PORTS = 20000, 4999


def image_of(given: str | None, mirror: str = "") -> str:
    """The image that was ``given``, or the default one, taken from ``mirror`` instead of its own registry."""
    if given:
        return given
    return f"{mirror.rstrip('/')}/{AGENT_IMAGE.partition('/')[2]}" if mirror else AGENT_IMAGE


def new_id() -> str:
    """A short word that no other run has."""
    return secrets.token_hex(3)


@dataclass(frozen=True, slots=True)
class Run:
    """One run: ``id`` is part of every name; pods run ``image``.

    Host-network pods of two runs share the nodes' ports: theirs are drawn from the run's id.
    """

    id: str = field(default_factory=new_id)
    image: str = AGENT_IMAGE
    pull_secret: str = ""
    """``NAMESPACE/NAME`` of the Secret that is copied for pulling the image."""
    balancing: Balancing = field(default_factory=Balancing)
    tolerations: tuple[Mapping[str, str], ...] = ({"operator": "Exists"},)

    @property
    def namespace(self) -> str:
        """Where Services, endpoints and client pods live."""
        return f"nftconform-{self.id}"

    @property
    def host_namespace(self) -> str:
        """Where the host-network agents live; the only one with privileged Pod Security."""
        return f"nftconform-{self.id}-host"

    @property
    def spaces(self) -> dict[str, str]:
        """Both namespaces, by the words of `conformance.model.case.policy_spec.Space`."""
        return {Space.OWN.value: self.namespace, Space.OTHER.value: self.host_namespace}

    @property
    def labels(self) -> dict[str, str]:
        """On every object."""
        return {MANAGED_BY: MANAGER, RUN: self.id}

    @property
    def selector(self) -> str:
        """A label selector for the run's objects."""
        return f"{MANAGED_BY}={MANAGER},{RUN}={self.id}"

    @property
    def backend_port(self) -> int:
        """Where endpoints answer, in the pod network and on host networks."""
        return FIRST_PORT + 2 * (self._draw % PORTS)

    @property
    def control_port(self) -> int:
        """Where host-network agents answer control dials: reached without any kube-proxy."""
        return self.backend_port + 1

    @property
    def _draw(self) -> int:
        return int.from_bytes(hashlib.sha256(self.id.encode()).digest()[:4], "big")
