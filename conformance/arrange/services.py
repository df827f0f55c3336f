"""Services as they come, change and go, each time until the API's own controllers have caught up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from conformance.arrange import lacking, manifests
from conformance.arrange.arrangement import Arrangement
from conformance.arrange.balancing import Mode, wants
from conformance.arrange.waits import LOAD_BALANCERS, SLICES, NotConverged, converge
from conformance.cluster.effort import timed
from conformance.cluster.failures import ApiRefused
from conformance.cluster.paths import collection_of, kind
from conformance.model import manifest
from conformance.model.case.service_spec import ServiceSpec
from conformance.model.effort import Phase
from conformance.model.kube import ServiceType
from conformance.model.surroundings import Surroundings

JSON = dict[str, Any]
FORBIDDEN = 403
log = logging.getLogger(__name__)


@dataclass
class Services:
    """The Services of one run; `become` is the one way to change them.

    ``lacking`` says of each Service that did not come to be as it should why not: whoever asks about it cannot trust
    the answer. ``forbidden`` likewise of those that an admission does not let be: this cluster has no such Services.
    """

    arrangement: Arrangement
    specs: dict[str, ServiceSpec] = field(default_factory=dict)
    lacking: dict[str, str] = field(default_factory=dict)
    forbidden: dict[str, str] = field(default_factory=dict)
    away: dict[str, str] = field(default_factory=dict)
    """Why the node of a role is not there any more: nobody waits for endpoints on it."""
    _slices: dict[str, JSON] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)
    _last: str = ""
    _balanced: bool = True
    _torn: bool = False
    """Whether the last change was not carried through: nobody knows what there is."""
    _given: dict[str, int] = field(default_factory=dict)

    @timed(Phase.ARRANGE)
    def become(self, specs: Sequence[ServiceSpec], here: Surroundings, sentinel: ServiceSpec) -> JSON:
        """Make exactly ``specs`` exist, wait until their slices hold the endpoints, then create the sentinel.

        A proxy that serves the sentinel has seen all that was done before it. Returns the sentinel Service. Raises
        `NotConverged` when not even one of the sentinel's endpoints comes.
        """
        if self._torn:
            self._clear()
        self._torn = True
        wanted = {spec.name: spec for spec in specs}
        cluster, space = self.arrangement.cluster, self.arrangement.run.namespace
        slices = {
            s["metadata"]["name"]: s for spec in specs for s in manifests.slices(self.arrangement.run, spec, here)
        }
        gone = [_path(space, name) for name in (*self.specs, self._last) if name and name not in wanted]
        gone += [_slice_path(space, name) for name in self._slices if name not in slices]
        self.arrangement.at_once(cluster.delete, gone)
        self.lacking = {name: why for name, why in self.lacking.items() if name in wanted}
        self.forbidden = {name: why for name, why in self.forbidden.items() if name in wanted}
        # A Service that takes over an address comes when the one that had it is gone.
        self._each((s for s in specs if s.name not in self.specs), lambda spec: self._create(spec, here))
        self._each((s for s in specs if self.specs.get(s.name, s) != s), lambda spec: self._change(spec, here))
        self._each((s for s in specs if self.specs.get(s.name) != s), lambda spec: self._write_status(spec, here))
        self._mirror([s for s in specs if s.mirrored and self.specs.get(s.name) != s], here)
        self.arrangement.create(s for name, s in slices.items() if name not in self._slices)
        replaced = [s for name, s in slices.items() if self._slices.get(name, s) != s]
        self.arrangement.at_once(lambda s: cluster.update(_slice_path(space, s["metadata"]["name"]), s), replaced)
        changed = {s.name: _selected(s) for s in specs if s.slices is None and self.specs.get(s.name) != s}
        self.specs, self._slices = wanted, slices
        if self.away:
            self.lacking |= {s.name: why for s in specs for b in s.backends if (why := self.away.get(b.role))}
        self._wait_for_endpoints(changed)
        self._wait_for_balancers()
        self._balance(here)
        last = self._create_last(sentinel, here)
        self._torn = False
        return last

    def once_more(self, sentinel: ServiceSpec, here: Surroundings) -> JSON:
        """Another sentinel: a proxy that serves it has finished the sync in which it saw the one before.

        kube-proxy clears connection tracking at the end of a sync, when its new rules are in force already.
        """
        self.arrangement.cluster.delete(_path(self.arrangement.run.namespace, self._last))
        return self._create_last(sentinel, here)

    @timed(Phase.CLEAN_UP)
    def withdraw(self) -> None:
        """Delete all of them."""
        self._torn = True
        self.arrangement.at_once(
            self.arrangement.cluster.delete, [_path(self.arrangement.run.namespace, name) for name in self.specs]
        )
        self.specs, self.lacking, self.forbidden = {}, {}, {}
        self._torn = False

    def _clear(self) -> None:
        """Begin anew: delete whatever the run has of Services and slices."""
        run, cluster = self.arrangement.run, self.arrangement.cluster
        for name, path in (("Service", _path), ("EndpointSlice", _slice_path)):
            found = cluster.objects(name, run.namespace, run.selector)
            self.arrangement.at_once(cluster.delete, [path(run.namespace, one["metadata"]["name"]) for one in found])
        self.specs, self._slices, self._last, self.lacking, self.forbidden = {}, {}, "", {}, {}

    def _each(self, specs: Iterable[ServiceSpec], do: Callable[[ServiceSpec], None]) -> None:
        """Do it to all at once; what the API refuses is noted, unless it refuses us altogether."""

        def attempt(spec: ServiceSpec) -> None:
            try:
                do(spec)
            except ApiRefused as no:
                if no.denied:
                    raise
                (self.forbidden if no.status == FORBIDDEN else self.lacking)[spec.name] = no.cause

        self.arrangement.at_once(attempt, specs)

    def _create(self, spec: ServiceSpec, here: Surroundings) -> None:
        made = manifests.service(self.arrangement.run, spec, here)
        self.arrangement.cluster.create(collection_of(made), made)

    def _change(self, spec: ServiceSpec, here: Surroundings) -> None:
        run = self.arrangement.run
        before, after = (manifests.service(run, s, here) for s in (self.specs[spec.name], spec))
        body = merge_patch(before, after)
        if spec.type is ServiceType.EXTERNAL_NAME:
            body["spec"] |= dict.fromkeys(("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"))
        self.arrangement.cluster.patch(_path(run.namespace, spec.name), body)

    def _write_status(self, spec: ServiceSpec, here: Surroundings) -> None:
        status = manifest.status(spec, here)
        if status is None and self.arrangement.run.balancing.mode is Mode.STATUS_PATCH and wants(spec):
            status = self._address(spec, here)
        if status is not None:
            path = _path(self.arrangement.run.namespace, spec.name)
            self.arrangement.cluster.patch(f"{path}/status", status)

    def _address(self, spec: ServiceSpec, here: Surroundings) -> JSON:
        """Of the kit's own, always the same for one name."""
        number = self._given.setdefault(spec.name, len(self._given))
        return self.arrangement.run.balancing.status(number, manifest.families_of(spec, here))

    def _mirror(self, specs: Sequence[ServiceSpec], here: Surroundings) -> None:
        """Write the Endpoints objects that the cluster is to mirror; those of Services that go, go with them."""
        run, cluster = self.arrangement.run, self.arrangement.cluster
        made = {spec.name: manifests.endpoints(run, spec, here) for spec in specs}
        known = {name for name in made if name in self.specs}
        self.arrangement.create(e for name, e in made.items() if name not in known)
        self.arrangement.at_once(
            lambda name: cluster.update(kind("Endpoints").path(run.namespace, name), made[name]), known
        )

    @timed(Phase.CONVERGE)
    def _create_last(self, sentinel: ServiceSpec, here: Surroundings) -> JSON:
        last = manifests.service(self.arrangement.run, sentinel, here)
        self._last = last["metadata"]["name"] = f"last-{next(self._numbers)}"
        (made,) = self.arrangement.create([last])
        converge(SLICES, self._seen_of_last, lambda seen: lacking.any_of(_selected(sentinel), made, seen))
        return made

    def _seen_of_last(self) -> list[JSON]:
        return self.arrangement.slices(f"kubernetes.io/service-name={self._last}")

    @timed(Phase.CONVERGE)
    def _wait_for_endpoints(self, expected: Mapping[str, frozenset[str]]) -> None:
        waited = {name: pods for name, pods in expected.items() if name not in self.lacking | self.forbidden}
        services, look = self.arrangement.services(), self.arrangement.slices
        try:
            converge(SLICES, look, lambda seen: lacking.endpoints(waited, services, seen))
        except NotConverged:
            seen = look()
            late = {name: lacking.endpoints({name: pods}, services, seen) for name, pods in waited.items()}
            self.lacking |= {
                name: f"gave up waiting for {SLICES.what}: {phrase}" for name, phrase in late.items() if phrase
            }

    @timed(Phase.CONVERGE)
    def _wait_for_balancers(self) -> None:
        """Wait for addresses, but only once in vain: where no controller gives any, the cells say so."""
        balanced = any(s.type is ServiceType.LOAD_BALANCER and s.ingress is None for s in self.specs.values())
        if not balanced or not self._balanced:
            return
        try:
            converge(LOAD_BALANCERS, self.arrangement.services, lacking.ingresses)
        except NotConverged as late:
            self._balanced = False
            log.info("%s", late.cause)

    def _balance(self, here: Surroundings) -> None:
        """Where no controller gives addresses, give them, as far as the credentials permit."""
        if self._balanced:
            return
        names = [s["metadata"]["name"] for s in self.arrangement.services() if lacking.ingresses([s])]
        for spec in (self.specs[name] for name in names if name in self.specs):
            try:
                path = _path(self.arrangement.run.namespace, spec.name)
                self.arrangement.cluster.patch(f"{path}/status", self._address(spec, here))
            except ApiRefused as no:
                log.info("%s", no.cause)
                return


def merge_patch(before: JSON, after: JSON) -> JSON:
    """The JSON merge patch (RFC 7386) that makes ``after`` of whatever holds what ``before`` says, and more."""
    patch: JSON = {key: None for key in before if key not in after}
    for key, value in after.items():
        old = before.get(key)
        patch[key] = merge_patch(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return patch


def _selected(spec: ServiceSpec) -> frozenset[str]:
    return frozenset(b.name for b in spec.endpoints if b.ready or spec.publish_not_ready)


def _path(namespace: str, name: str) -> str:
    return kind("Service").path(namespace, name)


def _slice_path(namespace: str, name: str) -> str:
    return kind("EndpointSlice").path(namespace, name)
