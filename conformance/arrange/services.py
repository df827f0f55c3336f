"""Services as they come, change and go, each time until the API's own controllers have caught up."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from conformance.arrange import lacking, manifests
from conformance.arrange.arrangement import AT_ONCE, Arrangement
from conformance.arrange.waits import LOAD_BALANCERS, SLICES, NotConverged, converge
from conformance.cluster.paths import kind
from conformance.model import manifest
from conformance.model.case.service_spec import ServiceSpec
from conformance.model.kube import ServiceType
from conformance.model.surroundings import Surroundings

JSON = dict[str, Any]
log = logging.getLogger(__name__)


@dataclass
class Services:
    """The Services of one run; `become` is the one way to change them."""

    arrangement: Arrangement
    specs: dict[str, ServiceSpec] = field(default_factory=dict)
    _slices: dict[str, JSON] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=count)
    _last: str = ""
    _balanced: bool = True

    def become(self, specs: Sequence[ServiceSpec], here: Surroundings, sentinel: ServiceSpec) -> JSON:
        """Make exactly ``specs`` exist, wait until their slices hold the endpoints, then create the sentinel.

        A proxy that serves the sentinel has seen all that was done before it. Returns the sentinel Service. Raises
        `NotConverged` when slices do not come; Services to which no load balancer gives an address remain.
        """
        wanted = {spec.name: spec for spec in specs}
        cluster, run = self.arrangement.cluster, self.arrangement.run
        slices = {s["metadata"]["name"]: s for spec in specs for s in manifests.slices(run, spec, here)}
        gone = [_path(run.namespace, name) for name in self.specs if name not in wanted]
        gone += [_path(run.namespace, self._last)] if self._last else []
        gone += [_slice_path(run.namespace, name) for name in self._slices if name not in slices]
        _at_once(cluster.delete, gone)
        # A Service that takes over an address comes when the one that had it is gone.
        self.arrangement.create(
            manifests.service(run, spec, here) for name, spec in wanted.items() if name not in self.specs
        )
        changed = [spec for name, spec in wanted.items() if self.specs.get(name, spec) != spec]
        _at_once(lambda spec: self._change(spec, here), changed)
        self.arrangement.create(s for name, s in slices.items() if name not in self._slices)
        replaced = [s for name, s in slices.items() if self._slices.get(name, s) != s]
        _at_once(lambda s: cluster.update(_slice_path(run.namespace, s["metadata"]["name"]), s), replaced)
        _at_once(lambda spec: self._write_status(spec, here), [s for s in specs if self.specs.get(s.name) != s])
        self.specs, self._slices = wanted, slices
        self._wait_for_endpoints({s.name: _selected(s) for s in specs if s.slices is None})
        self._wait_for_balancers()
        return self._create_last(sentinel, here)

    def withdraw(self) -> None:
        """Delete all of them."""
        _at_once(self.arrangement.cluster.delete, [_path(self.arrangement.run.namespace, name) for name in self.specs])
        self.specs = {}

    def _change(self, spec: ServiceSpec, here: Surroundings) -> None:
        """A merge patch: what the old spec said and the new one does not is taken away."""
        run = self.arrangement.run
        before, after = (manifests.service(run, s, here) for s in (self.specs[spec.name], spec))
        lost = {k: None for k in before["spec"] if k not in after["spec"]}
        lost.pop("clusterIP", None)
        if spec.type is ServiceType.EXTERNAL_NAME:
            lost |= {"clusterIP": None, "clusterIPs": None, "ipFamilies": None, "ipFamilyPolicy": None}
        labels = {k: None for k in before["metadata"]["labels"] if k not in after["metadata"]["labels"]}
        body = {"metadata": {"labels": after["metadata"]["labels"] | labels}, "spec": after["spec"] | lost}
        self.arrangement.cluster.patch(_path(run.namespace, spec.name), body)

    def _write_status(self, spec: ServiceSpec, here: Surroundings) -> None:
        status = manifest.status(spec, here)
        if status is not None:
            run = self.arrangement.run
            self.arrangement.cluster.patch(f"{_path(run.namespace, spec.name)}/status", status)

    def _create_last(self, sentinel: ServiceSpec, here: Surroundings) -> JSON:
        last = manifests.service(self.arrangement.run, sentinel, here)
        self._last = last["metadata"]["name"] = f"last-{next(self._numbers)}"
        (made,) = self.arrangement.create([last])
        self._wait_for_endpoints({self._last: _selected(sentinel)})
        return made

    def _wait_for_endpoints(self, expected: Mapping[str, frozenset[str]]) -> None:
        look = self.arrangement
        converge(SLICES, lambda: (look.services(), look.slices()), lambda seen: lacking.endpoints(expected, *seen))

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


def _selected(spec: ServiceSpec) -> frozenset[str]:
    return frozenset(b.name for b in spec.endpoints if b.ready or spec.publish_not_ready)


def _path(namespace: str, name: str) -> str:
    return kind("Service").path(namespace, name)


def _slice_path(namespace: str, name: str) -> str:
    return kind("EndpointSlice").path(namespace, name)


def _at_once(do: Callable[[Any], object], some: Iterable[Any]) -> None:
    with ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="change") as pool:
        list(pool.map(do, some))
