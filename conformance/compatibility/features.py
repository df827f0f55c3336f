"""What the results say of one cell, in the words that signatures of causes are written in."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from conformance.model.client import ClientKind, DestinationKind
from conformance.model.facts import Facts
from conformance.model.result import Result
from conformance.model.verdict import Mismatch
from conformance.results.run import Run
from conformance.spec.causes import ENDPOINT_CLIENT, Feature, Features

_CLIENT = re.compile(r"(?P<kind>[a-z]+)(?:-(?P<breed>[a-z]+(?:-\d+)?))??(?:-(?P<role>[a-z]))?")
_BACKEND = re.compile(r"(?P<breed>[a-z]+(?:-\d+)?)-(?P<role>[a-z])(?:-\d+)?")
_DECIDES = re.compile(r"so the rules of (\S+) decide")
_DUE = re.compile(
    r"(?:answered by|tied to one of) (?P<names>.*?)(?:, source (?P<source>kept|changed))?(?:, silence of .*)?"
)
_QUESTION = re.compile(r"[^.]+(?:\.ipv[46](?:-[a-z]+)?)?\.(?!ipv[46])(?P<question>[^.]+)")
_SAW = re.compile(r"saw the client as (?P<seen>[^;]+);")
_ENDED = (
    ("silent", "silent"),
    ("answered by", "answered"),
    ("reset", "reset"),
    ("connected and then cut", "cut"),
    ("without a route", "no-route"),
    ("ICMP", "refused"),
)
_WORDS = {"refused": "refused", "dropped": "dropped", "not": "unanswered"}
_KINDS = sorted((kind.value for kind in DestinationKind), key=len, reverse=True)
_SMALL = 1200
"""Bytes that with their headers take one packet on any link that carries IPv6 (RFC 8200, section 5)."""
_USUAL = "web"
"""The breed of an endpoint whose client label does not say it."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the run says of its cluster: node names by role, and whose addresses are whose."""

    nodes: Mapping[str, str]
    hosts: frozenset[str]
    pods: tuple[str, ...]

    def owner(self, address: str) -> str:
        """``node``, ``pod`` or ``other``; of what is no address as well."""
        if address in self.hosts:
            return "node"
        try:
            found = ipaddress.ip_address(address)
            return "pod" if any(found in ipaddress.ip_network(cidr, strict=False) for cidr in self.pods) else "other"
        except ValueError:
            return "other"


def place(run: Run) -> Place:
    """Of the run's nodes and facts."""
    roles = {chr(ord("a") + number): name for number, name in enumerate(run.header.nodes)}
    return Place(roles, frozenset(_hosts(run.facts)), run.facts.cluster_cidrs.otherwise(()))


def features(one: Result, where: Place) -> Features:
    """The cell's features; what does not apply to it, or is not known, is not there."""
    found = {feature: frozenset(values) for feature, values in _features(one, where)}
    return {feature: values for feature, values in found.items() if values}


def _features(one: Result, where: Place) -> Iterator[tuple[Feature, Iterable[str]]]:
    client = _CLIENT.fullmatch(one.client)
    kind, role = (client["kind"], client["role"] or "") if client else (one.client, "")
    yield Feature.AREA, (one.area,)
    yield Feature.CASE, (one.case,)
    yield Feature.QUESTION, (found["question"] for found in [_QUESTION.fullmatch(one.id)] if found)
    yield Feature.CLIENT, (kind,)
    yield Feature.CLIENT_NODE, _there(where.nodes.get(role))
    destination = next((k for k in _KINDS if one.destination == k or one.destination.startswith(f"{k}-")), "")
    yield Feature.DESTINATION, _there(destination)
    yield Feature.FAMILY, _there(one.family)
    # What is watched is packets of every protocol, whichever the row's is.
    yield Feature.PROTOCOL, _there("" if destination == DestinationKind.UPLINK.value else one.protocol)
    yield Feature.SERVICE, _there(one.variant.type)
    yield Feature.AFFINITY, ("ClientIP" if one.variant.affinity else "None",)
    yield Feature.EXTERNAL_POLICY, _there(one.variant.external_policy)
    yield Feature.SIZE, ("large" if one.size > _SMALL else "small",)
    if one.account is None:
        return
    decides = (found[1] for reason in one.account.reasons if (found := _DECIDES.search(reason.text)))
    there = where.nodes.get(one.destination.removeprefix(destination).removeprefix("-")) or where.nodes.get(role)
    yield Feature.NODE, _there(next(decides, there))
    yield Feature.ENDED, (ended for words, ended in _ENDED if words in one.account.observed)
    if one.mismatch is Mismatch.WRONG_SOURCE and (seen := _SAW.search(one.message)):
        yield Feature.SAW, map(where.owner, seen["seen"].split(", "))
    due = _DUE.fullmatch(one.account.due)
    yield Feature.DUE, ("answered" if due else _WORDS.get(one.account.due.partition(" ")[0], "other"),)
    if due:
        own = f"{(client and client['breed']) or _USUAL}-{role}" if kind == ENDPOINT_CLIENT else ""
        backends = [b for name in due["names"].split(", ") if (b := _BACKEND.fullmatch(name))]
        yield Feature.SOURCE, _there(due["source"])
        yield Feature.ENDPOINT_NODE, (node for b in backends if (node := where.nodes.get(b["role"])))
        yield Feature.BACKEND, ("host" if b["breed"] == "host" else "pod" for b in backends)
        yield Feature.ENDPOINT, (_position(kind, role, own, b) for b in backends)


def _position(kind: str, role: str, own: str, backend: re.Match[str]) -> str:
    if kind == ClientKind.EXTERNAL.value:
        return "from-outside"
    if own and backend[0] == own:
        return "self"
    return "same-node" if backend["role"] == role else "other-node"


def _hosts(facts: Facts) -> Iterator[str]:
    for node in facts.nodes.otherwise(()):
        yield from node.addresses
    for addresses in facts.local_addresses.otherwise({}).values():
        yield from addresses


def _there(value: str | None) -> tuple[str, ...]:
    return (value,) if value else ()
