"""Who answers behind a Service, by the role of the node that it runs on."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

HOST_PORT, SHARED_PORT, BOUND_PORT = 26, 27, 28
"""Numbers (of `Surroundings.node_port`) of the hostPorts of PORTED backends: one of its own, one that is a
Service's node port too, and one at the node's primary addresses only.
"""


class Breed(Enum):
    """What is special about a backend pod; the value begins its name."""

    WEB = "web"  # in the pod network, ready
    HOST = "host"  # in its node's own network namespace
    UNREADY = "unready"  # runs and answers, but its readiness probe never succeeds
    ALT = "alt"  # like WEB, but its ports of the same names have other numbers
    FLEET = "fleet"  # one pod that answers on many ports, on each under a name of its own
    SIDECAR = "sidecar"  # like WEB, but what answers is a restartable init container of the pod
    RAW = "raw"  # like WEB, and answers SCTP over a raw socket: it has CAP_NET_RAW
    PORTED = "ported"  # like RAW, and its node's hostPorts lead to it
    FAILED = "failed"  # its phase is Failed, as an evicted pod's is


@dataclass(frozen=True, slots=True, order=True)
class Backend:
    """One that answers: a pod, or with ``number`` one of the many that a FLEET pod plays.

    One pod serves every Service that wants it.
    """

    role: str
    breed: str = Breed.WEB.value  # a str, so that backends can be ordered
    number: int = 0

    @property
    def pod(self) -> str:
        """The pod's name in the run's namespace."""
        return f"{self.breed}-{self.role}"

    @property
    def name(self) -> str:
        """The name that it answers with."""
        return f"{self.pod}-{self.number}" if self.number else self.pod

    @property
    def host_network(self) -> bool:
        """Whether it lives in the node's own network namespace."""
        return self.breed == Breed.HOST.value

    @property
    def ready(self) -> bool:
        """Whether its pod ever gets ready."""
        return self.breed not in (Breed.UNREADY.value, Breed.FAILED.value)

    @property
    def raw(self) -> bool:
        """Whether it answers SCTP, and for that has CAP_NET_RAW."""
        return self.breed in (Breed.RAW.value, Breed.PORTED.value)

    @property
    def failed(self) -> bool:
        """Whether its pod has ended for good."""
        return self.breed == Breed.FAILED.value


def on(*roles: str, breed: Breed = Breed.WEB) -> tuple[Backend, ...]:
    """One backend on each role's node, in the pod network unless ``breed`` says otherwise; ``on()`` is none at all."""
    return tuple(Backend(role, breed.value) for role in roles)


def on_host(*roles: str) -> tuple[Backend, ...]:
    """Host-network backends, one on each role's node."""
    return on(*roles, breed=Breed.HOST)


def fleet(role: str, size: int) -> tuple[Backend, ...]:
    """``size`` backends that one pod on the role's node plays, each on a port of its own."""
    return tuple(Backend(role, Breed.FLEET.value, number) for number in range(1, size + 1))
