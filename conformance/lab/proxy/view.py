"""The API's objects as the proxy last heard of them, parsed once, with a note of what has changed since."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from conformance.lab import timestamps
from conformance.lab.proxy.ports import is_proxied
from conformance.model import parse
from conformance.model.addresses import Family
from conformance.model.fields import MalformedObject
from conformance.model.kube import EndpointSlice, Node, Service

_log = logging.getLogger(__name__)
_TRIGGER_TIME = "endpoints.kubernetes.io/last-change-trigger-time"

Json = dict[str, Any]
_T = TypeVar("_T")


@dataclass(slots=True)
class Changes:
    """What one family has yet to program: Services by key, and when the endpoints' changes were triggered."""

    services: set[str] = field(default_factory=set)
    triggers: list[float] = field(default_factory=list)


class View:
    """Services, slices, node and service CIDRs; ``on_change`` is told the families that a change touches."""

    def __init__(self, on_change: Callable[[Iterable[Family]], None]) -> None:
        self.node: Node | None = None
        self.service_cidrs: tuple[str, ...] = ()
        self.service_changes = 0
        self.endpoint_changes = 0
        self.changes = {family: Changes() for family in Family}
        self._services: dict[str, tuple[str, Service]] = {}
        self._slices: dict[str, dict[str, EndpointSlice]] = {}
        self._owners: dict[tuple[str, str], str] = {}
        """Of each slice by namespace and name the Service that its label names."""
        self._cidrs: dict[str, tuple[str, ...]] = {}
        self._on_change = on_change
        self._started = time.time()

    @property
    def services(self) -> list[Service]:
        """Every Service, the oldest first: the order in which they may claim an address."""
        return [s for _, _, s in sorted((made, key, s) for key, (made, s) in self._services.items())]

    def slices(self, service: str) -> Iterable[EndpointSlice]:
        """The slices of the Service ``namespace/name``."""
        return self._slices.get(service, {}).values()

    def local_ready(self, service: Service, family: Family) -> int:
        """How many of its endpoints on this node are ready: what its healthCheckNodePort tells."""
        here = self.node.name if self.node else ""
        own = (e for s in self.slices(service.key) if s.family is family for e in s.endpoints)
        return len({e.addresses[0] for e in own if e.node == here and e.ready and e.addresses})

    def take(self, family: Family) -> Changes:
        """The changes of ``family`` since they were last taken."""
        taken, self.changes[family] = self.changes[family], Changes()
        return taken

    def on_service(self, event: str, item: Json) -> None:
        """An informer's event about a Service."""
        service = None if event == "DELETED" else _parsed(parse.service, item)
        key = f"{item['metadata'].get('namespace', 'default')}/{item['metadata']['name']}"
        before = self._services.get(key)
        after = (str(item["metadata"].get("creationTimestamp") or ""), service) if service else None
        if before == after:
            return
        if after is None or service is None:
            del self._services[key]
        else:
            self._services[key] = (after[0], service)
        self.service_changes += 1
        if (before and is_proxied(before[1])) or (service and is_proxied(service)):
            self._mark(key, Family)

    def on_slice(self, event: str, item: Json) -> None:
        """An informer's event about an EndpointSlice."""
        one = None
        if event != "DELETED" and item.get("addressType") != "FQDN":
            one = _parsed(parse.endpoint_slice, item)
        labels = item["metadata"].get("labels") or {}
        key = f"{item['metadata'].get('namespace', 'default')}/{labels.get(parse.SERVICE_NAME_LABEL, '')}"
        name = item["metadata"]["name"]
        identity = key.split("/", maxsplit=1)[0], name
        other = self._owners.get(identity, key)
        if other != key and (gone := self._slices[other].pop(name, None)):  # its label named another Service before
            self._mark(other, (gone.family,))
        self._owners[identity] = key
        if event == "DELETED":
            del self._owners[identity]
        mine = self._slices.setdefault(key, {})
        before = mine.get(name)
        if before == one or not labels.get(parse.SERVICE_NAME_LABEL):
            return
        if one is None:
            del mine[name]
        else:
            mine[name] = one
        self.endpoint_changes += 1
        family = one.family if one else before.family if before else Family.IPV4
        self._note_trigger(item, family)
        self._mark(key, (family,))

    def on_node(self, event: str, item: Json) -> None:
        """An informer's event about our own Node; a deleted one stays what the rules are made for."""
        node = None if event == "DELETED" else _parsed(parse.node, item)
        if node is None or (self.node is not None and _place(self.node) == _place(node)):
            return
        self.node = node
        self._on_change(Family)

    def on_service_cidr(self, event: str, item: Json) -> None:
        """An informer's event about a ServiceCIDR."""
        name = item["metadata"]["name"]
        self._cidrs.pop(name, None)
        if event != "DELETED":
            self._cidrs[name] = tuple((item.get("spec") or {}).get("cidrs") or ())
        every = tuple(dict.fromkeys(c for n in sorted(self._cidrs) for c in self._cidrs[n]))
        if every != self.service_cidrs:
            self.service_cidrs = every
            self._on_change(Family)

    def _mark(self, service: str, families: Iterable[Family]) -> None:
        touched = tuple(families)
        for family in touched:
            self.changes[family].services.add(service)
        self._on_change(touched)

    def _note_trigger(self, item: Mapping[str, Any], family: Family) -> None:
        text = (item["metadata"].get("annotations") or {}).get(_TRIGGER_TIME)
        try:
            triggered = timestamps.parse(text).timestamp() if text else 0.0
        except ValueError:
            return
        # What happened before we ran says nothing about how fast we are.
        if triggered >= self._started:
            self.changes[family].triggers.append(triggered)


def _place(node: Node) -> tuple[object, ...]:
    return node.addresses, node.pod_cidrs, node.zone


def _parsed(how: Callable[[Json], _T], item: Json) -> _T | None:
    try:
        return how(item)
    except MalformedObject as error:
        _log.warning("left out: %s", error)
        return None
