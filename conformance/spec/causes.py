"""Probable causes by what they break and what they spare: data, over what the results say of each cell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from importlib import resources

from conformance.model.addresses import Family, Protocol
from conformance.model.client import ClientKind, DestinationKind
from conformance.model.verdict import Mismatch
from conformance.spec.entries import Entry, link, malformed, may, names, need, only, sentence, tables

_FILE = "causes.toml"
_KEYS = {"id", "is", "told", "remedy", "links", "breaks", "also", "how", "seen", "spares", "each"}


class Feature(Enum):
    """What signatures look at; `VALUES` lists what each can be, where that is closed."""

    AREA = "area"
    CASE = "case"
    QUESTION = "question"  # of a case that has several, its name in the cell's ID
    CLIENT = "client"
    CLIENT_NODE = "client-node"
    DESTINATION = "destination"
    ENDPOINT = "endpoint"  # where those that may answer are, seen from the client
    ENDPOINT_NODE = "endpoint-node"
    BACKEND = "backend"  # in which network they are
    NODE = "node"  # whose rules decide
    FAMILY = "family"
    PROTOCOL = "protocol"
    SERVICE = "service"  # its type
    AFFINITY = "affinity"
    EXTERNAL_POLICY = "external-policy"
    SIZE = "size"
    DUE = "due"  # what had to happen
    SOURCE = "source"  # whether the client's own address had to be seen
    SAW = "saw"  # whose address was seen instead
    ENDED = "ended"  # how dials ended


ENDPOINT_CLIENT = "endpoint"
"""A client that is itself an endpoint of the Service it dials."""
VALUES: Mapping[Feature, frozenset[str]] = {
    Feature.CLIENT: frozenset({*(kind.value for kind in ClientKind), ENDPOINT_CLIENT}),
    Feature.DESTINATION: frozenset(kind.value for kind in DestinationKind),
    Feature.ENDPOINT: frozenset({"self", "same-node", "other-node", "from-outside"}),
    Feature.BACKEND: frozenset({"pod", "host"}),
    Feature.FAMILY: frozenset(family.value for family in Family),
    Feature.PROTOCOL: frozenset(protocol.value for protocol in Protocol),
    Feature.SERVICE: frozenset({"ClusterIP", "NodePort", "LoadBalancer", "ExternalName"}),
    Feature.AFFINITY: frozenset({"ClientIP", "None"}),
    Feature.EXTERNAL_POLICY: frozenset({"Cluster", "Local"}),
    Feature.SIZE: frozenset({"large", "small"}),
    Feature.DUE: frozenset({"answered", "refused", "dropped", "unanswered", "other"}),
    Feature.SOURCE: frozenset({"kept", "changed"}),
    Feature.SAW: frozenset({"node", "pod", "other"}),
    Feature.ENDED: frozenset({"answered", "silent", "refused", "reset", "cut", "no-route"}),
}
Features = Mapping[Feature, frozenset[str]]
"""Of one cell. A feature has several values where a Service has several endpoints; none where it does not apply."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Cells that have one of the ``wanted`` values, and none of the ``unwanted``, of each feature named."""

    wanted: tuple[tuple[Feature, frozenset[str]], ...] = ()
    unwanted: tuple[tuple[Feature, frozenset[str]], ...] = ()

    def fits(self, features: Features) -> bool:
        """Whether a cell with these features is one of them."""
        nothing: frozenset[str] = frozenset()
        return all(features.get(feature, nothing) & values for feature, values in self.wanted) and not any(
            features.get(feature, nothing) & values for feature, values in self.unwanted
        )


@dataclass(frozen=True, slots=True)
class Cause:
    """``breaks``: cells of each fail by it, by one of the mismatches ``how``. ``spares``: cells that pass all the same.

    ``also`` are cells that may fail by it, or not, which the results alone do not tell. What failed shows it only if
    one of ``seen`` fits, where there are any.

    Without cells of each ``spares`` that pass it is not told apart from something else, and is not claimed. ``each``:
    it may also be so for one value of these features alone, a node's for example. ``name`` is a few words, ``told`` how
    it comes about, ``remedy`` what to do.
    """

    id: str
    name: str
    told: str
    remedy: str
    breaks: tuple[Pattern, ...]
    spares: tuple[Pattern, ...] = ()
    how: frozenset[Mismatch] = frozenset()
    each: tuple[Feature, ...] = ()
    links: tuple[str, ...] = ()
    also: tuple[Pattern, ...] = ()
    seen: tuple[Pattern, ...] = ()


@cache
def known() -> tuple[Cause, ...]:
    """What the kit's own file holds."""
    return read(resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"), _FILE)


def read(text: str, name: str) -> tuple[Cause, ...]:
    """The causes of a TOML document called ``name``; `UsageError` with one sentence when it is malformed."""
    causes = tuple(_cause(plain, where) for plain, where in tables(text, name, "cause")["cause"])
    seen: set[str] = set()
    for one in causes:
        if one.id in seen:
            raise malformed(f"{name} holds the cause {one.id} twice.")
        seen.add(one.id)
    return causes


def _cause(plain: Entry, where: str) -> Cause:
    only(plain, _KEYS, where)
    one = Cause(
        id=need(plain, "id", sentence, where, "a word"),
        name=need(plain, "is", sentence, where, "a few words"),
        told=need(plain, "told", sentence, where, "a sentence"),
        remedy=need(plain, "remedy", sentence, where, "a sentence"),
        breaks=need(plain, "breaks", _patterns, where, _FORM),
        spares=may(plain, "spares", _patterns, where, _FORM, ()),
        how=may(plain, "how", _mismatches, where, "a list of mismatches", frozenset()),
        each=may(plain, "each", _features, where, "a list of features", ()),
        links=may(plain, "links", _links, where, "a list of https:// addresses", ()),
        also=may(plain, "also", _patterns, where, _FORM, ()),
        seen=may(plain, "seen", _patterns, where, _FORM, ()),
    )
    if not one.spares and not one.each:
        raise malformed(f"{where} has neither spares nor each, so that nothing could speak against it.")
    return one


_FORM = "a list of patterns: tables of features with lists of their values"


def _patterns(value: object) -> tuple[Pattern, ...] | None:
    found = [_pattern(one) for one in value] if isinstance(value, list) and value else [None]
    whole = tuple(one for one in found if one)
    return whole if len(whole) == len(found) else None


def _pattern(value: object) -> Pattern | None:
    """``!`` before a value says that cells must not have it."""
    if not isinstance(value, dict) or not value:
        return None
    wanted, unwanted = [], []
    for key, listed in value.items():
        feature, values = _FEATURES.get(key), names(listed)
        if feature is None or values is None:
            return None
        no = frozenset(one.removeprefix("!") for one in values if one.startswith("!"))
        yes = frozenset(one for one in values if not one.startswith("!"))
        if feature in VALUES and not yes | no <= VALUES[feature]:
            return None
        wanted += [(feature, yes)] if yes else []
        unwanted += [(feature, no)] if no else []
    return Pattern(tuple(wanted), tuple(unwanted))


def _mismatches(value: object) -> frozenset[Mismatch] | None:
    known_ = {one.value: one for one in Mismatch}
    listed = names(value)
    return frozenset(known_[one] for one in listed) if listed and all(one in known_ for one in listed) else None


def _features(value: object) -> tuple[Feature, ...] | None:
    listed = names(value)
    return tuple(_FEATURES[one] for one in listed) if listed and all(one in _FEATURES for one in listed) else None


def _links(value: object) -> tuple[str, ...] | None:
    listed = names(value)
    return listed if listed and all(map(link, listed)) else None


_FEATURES = {feature.value: feature for feature in Feature}
