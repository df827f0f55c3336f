"""Requests to the API server, in terms of Services: what a row says of the API's own promises."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conformance.model.case.service_spec import ServiceSpec
from conformance.model.field import field_name


@dataclass(frozen=True, slots=True)
class StaticPort:
    """The ``number``-th node port that the run names itself, where a row wants to say it as a value."""

    number: int

    def __str__(self) -> str:
        return f"static node port {self.number}"


Fields = tuple[tuple[str, object], ...]
"""Values by path (``spec.clusterIP``, ``spec.ports.0.nodePort``); None removes what is there."""


class Verb(Enum):
    """What a request does; the value completes "asked to ... the Service"."""

    CREATE = "create"
    CHANGE = "change"  # a JSON merge patch of these fields
    REPLACE = "replace"  # the Service as it is, with these fields, as a whole
    REPORT = "report the status of"  # a merge patch of the status subresource
    READ = "read"
    LIST = "list"  # all of the run with the Service's own labels
    FIND = "find in every namespace"  # a list of all namespaces, of those that have its name
    ADDRESS = "read the IPAddress of"  # the object that holds its ClusterIP
    RANGE = "read the default ServiceCIDR for"
    DELETE = "delete"
    CLEAR = "delete the collection of"  # all of the run with the Service's own labels


@dataclass(frozen=True, slots=True)
class Request:
    """One request about ``service``; ``fields`` are set on top of what the spec, or the stored object, says."""

    verb: Verb
    service: ServiceSpec
    fields: Fields = ()

    @property
    def words(self) -> str:
        """What is asked, as a person reads it."""
        set_ = ", ".join(f"{field_name(path)} = {'nothing' if value is None else value}" for path, value in self.fields)
        return f"{self.verb.value} Service {self.service.name}" + (f" with {set_}" if set_ else "")


@dataclass(frozen=True, slots=True)
class Submission:
    """A question to the API server about ``service``: what it says to creating it, or to changing one that is there.

    That is a dry run, unless ``requests`` are listed: those are made for real instead, one after the other, the last
    one's answer counts, and every Service that they created is deleted afterwards.
    """

    service: ServiceSpec
    fields: Fields = ()
    create: bool = False
    requests: tuple[Request, ...] = ()

    @property
    def decisive(self) -> Request:
        """The request whose answer counts."""
        if self.requests:
            return self.requests[-1]
        return Request(Verb.CREATE if self.create else Verb.CHANGE, self.service, self.fields)

    @property
    def words(self) -> str:
        """What is asked, in its order, as a person reads it."""
        return ", then ".join(r.words for r in self.requests) or f"{self.decisive.words}, as a dry run"


def make(service: ServiceSpec, *fields: tuple[str, object]) -> Submission:
    """Whether the Service could be created with these fields: a dry run."""
    return Submission(service, fields, create=True)


def alter(service: ServiceSpec, *fields: tuple[str, object]) -> Submission:
    """Whether a Service that is there could be changed in these fields: a dry run."""
    return Submission(service, fields)


def really(*requests: Request) -> Submission:
    """These requests, for real; the last one's answer counts."""
    return Submission(requests[-1].service, requests=requests)


def create(service: ServiceSpec, *fields: tuple[str, object]) -> Request:
    """Create it."""
    return Request(Verb.CREATE, service, fields)


def change(service: ServiceSpec, *fields: tuple[str, object]) -> Request:
    """Change it in these fields."""
    return Request(Verb.CHANGE, service, fields)


def replace(service: ServiceSpec, *fields: tuple[str, object]) -> Request:
    """Replace it by itself with these fields."""
    return Request(Verb.REPLACE, service, fields)


def report(service: ServiceSpec, *fields: tuple[str, object]) -> Request:
    """Report its status, as a controller does."""
    return Request(Verb.REPORT, service, fields)


def read(service: ServiceSpec) -> Request:
    """Read it."""
    return Request(Verb.READ, service)


def listed(service: ServiceSpec) -> Request:
    """List the run's Services that have its labels."""
    return Request(Verb.LIST, service)


def found(service: ServiceSpec) -> Request:
    """Find it in the list of every namespace's Services."""
    return Request(Verb.FIND, service)


def address(service: ServiceSpec) -> Request:
    """Read the IPAddress object of its ClusterIP, as an earlier request of the row saw it."""
    return Request(Verb.ADDRESS, service)


def default_range(service: ServiceSpec) -> Request:
    """Read the ServiceCIDR that ClusterIPs come from by default."""
    return Request(Verb.RANGE, service)


def delete(service: ServiceSpec) -> Request:
    """Delete it."""
    return Request(Verb.DELETE, service)


def clear(service: ServiceSpec) -> Request:
    """Delete all Services of the run that have its labels, as a collection."""
    return Request(Verb.CLEAR, service)
