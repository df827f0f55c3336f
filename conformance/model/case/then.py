"""What a row says must happen, in terms of roles; the oracle computes the same in addresses."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conformance.model.case.backend import Backend
from conformance.model.outcome import Dropped, Faithful, Quiet, Refused, Shows, TooBig, Unanswered

INVALID = 422
NOT_FOUND, CONFLICT = 404, 409


class SeenSource(Enum):
    """The source address that the endpoint must see: the client's own, one of a node's, or either."""

    CLIENT = "client"
    NODE = "node"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Answered:
    """Every dial is answered by one of ``endpoints``; by all of them in turn unless ``sticky``.

    ``promptly``: no connection takes a second SYN.
    """

    endpoints: tuple[Backend, ...]
    source: SeenSource = SeenSource.ANY
    sticky: bool = False
    promptly: bool = False


@dataclass(frozen=True, slots=True)
class Pinned:
    """Each port of the Service sends a round's dials to one of ``endpoints``, chosen without regard to other ports.

    ``forgets``: between two rounds the pins expire, so that some port moves; otherwise none does. ``stays``: every port
    is where the case's earlier questions with the same ``pin`` found it.
    """

    endpoints: tuple[Backend, ...]
    forgets: bool = False
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Says:
    """The HTTP answer: ``status``, and of a healthCheckNodePort the number of local endpoints that it tells.

    ``whole``: it also tells the Service's name and that the proxy is healthy, and forbids to guess its content type.
    """

    status: int
    local_endpoints: int | None = None
    body: str = ""
    whole: bool = False


@dataclass(frozen=True, slots=True)
class ResolvesTo:
    """The records of a lookup.

    ``CLUSTER_IPS``: the Service's ClusterIP of the asked family; ``ENDPOINTS``: the addresses of ``endpoints``;
    ``PORTS``: an SRV record of the named port, with the Service's own name as target, or one for each of ``endpoints``,
    with their ports and hostnames; ``NAME``: the external name; ``NOTHING``: no such record, or no such name.
    """

    class What(Enum):
        """What the records hold."""

        CLUSTER_IPS = "the Service's ClusterIP"
        ENDPOINTS = "the endpoints' addresses"
        PORTS = "the port and the Service's name"
        NAME = "the external name"
        NOTHING = "no record"

    what: What
    endpoints: tuple[Backend, ...] = ()


@dataclass(frozen=True, slots=True)
class Rejected:
    """The API server refuses the request with this HTTP status, naming ``field`` where one is said."""

    field: str = ""
    status: int = INVALID


@dataclass(frozen=True, slots=True)
class Stored:
    """The API server takes the request; the object then has these values at these paths.

    A value of None says that there is nothing at the path, `PRESENT` that there is something, `UNCHANGED` that there is
    what there was before the request.
    """

    holds: tuple[tuple[str, object], ...] = ()


PRESENT = "\N{HORIZONTAL ELLIPSIS}"
UNCHANGED = "\N{IDENTICAL TO}"

Then = (
    Answered
    | Pinned
    | Says
    | ResolvesTo
    | Rejected
    | Stored
    | Refused
    | Dropped
    | Unanswered
    | TooBig
    | Quiet
    | Faithful
    | Shows
)
