"""Services as a broken API server treats them: which it takes, what it fills in, what it allocates and gives back."""

from __future__ import annotations

from typing import Any

from conformance.lab.api import status
from conformance.lab.api.allocation import Allocation, Refused
from conformance.lab.api.config import Config
from conformance.lab.api.jsons import copied
from conformance.lab.api.resources import resource
from conformance.lab.api.status import FieldError, StatusError
from conformance.lab.api.store import Store
from conformance.lab.api.strategies import service_ports
from conformance.lab.api.strategies.services import ServiceStrategy
from conformance.lab.api.validation import ips, services
from conformance.lab.faults.answers import odd, omissions
from conformance.lab.faults.answers.pools import Conduct, LooseAddresses, LoosePorts
from conformance.lab.faults.answers.registry import puts_in
from conformance.lab.faults.answers.switches import Switches
from conformance.spec.faults import Fault

Json = dict[str, Any]

SERVICES = resource("", "services")
_IMMUTABLE = ("spec.clusterIP", "spec.ipFamilies", "spec.loadBalancerClass", "spec.healthCheckNodePort")
INVALID = 422


class FaultyServices(ServiceStrategy):
    """Each fault is one step of `ServiceStrategy` done wrongly; with nothing on, every step is done as it should be.

    A write goes through its steps without a pause, so what one step notes is still about the same Service in the next.
    """

    def __init__(self, store: Store, config: Config, switches: Switches) -> None:
        super().__init__(store, config)
        self._switches = switches
        self._conduct = Conduct()
        self._held_addresses = LooseAddresses(config.service_cidrs, self._conduct)
        self._held_ports = LoosePorts(*config.node_ports, self._conduct)
        self._addresses, self._ports = self._held_addresses, self._held_ports
        self._asked: Json = {}
        self._unused: tuple[str, ...] = ()

    @puts_in(Fault.API_TAKES_INVALID)
    def validate_name(self, name: str) -> list[str]:
        """No rule for names."""
        wrong = super().validate_name(name)
        return [] if wrong and self._switches.suffers(Fault.API_TAKES_INVALID, "", name) else wrong

    def default(self, obj: Json) -> None:
        """Keep in mind what was asked for before anything is filled in."""
        self._asked = copied(obj)
        super().default(obj)

    @puts_in(Fault.API_REFUSES_VALID)
    def admit(self, obj: Json) -> None:
        """Refuse what is allowed, but rare."""
        wrong = odd.refusals(obj) if self._switches.hits(Fault.API_REFUSES_VALID, obj) else []
        if wrong:
            raise status.invalid(SERVICES, obj["metadata"].get("name", ""), wrong)

    @puts_in(Fault.API_ALLOCATES_TWICE, Fault.API_KEEPS_ALLOCATED)
    def begin(self, obj: Json, old: Json | None, *, dry_run: bool) -> Allocation:
        """Allocate; an invalid Service that is let through gets nothing."""
        self._behave(obj)
        try:
            allocation = self._allocated(obj, old, dry_run=dry_run)
        except StatusError as error:
            # What the pools refuse, or cannot give, breaks no rule of the Service itself.
            if error.code != INVALID or isinstance(error.__context__, Refused):
                raise
            causes = (error.details or {}).get("causes", [])
            if not all(self._lets(cause["field"], cause["reason"], obj, old) for cause in causes):
                raise
            return Allocation(dry_run=dry_run)
        if old is not None and self._switches.hits(Fault.API_ALLOCATES_ANEW, obj):
            self._anew(obj["spec"], old["spec"], allocation)
        return allocation

    @puts_in(Fault.API_ALLOCATES_UNWANTED)
    def _allocated(self, obj: Json, old: Json | None, *, dry_run: bool) -> Allocation:
        """Allocate, and node ports too where none are wanted."""
        spec = obj["spec"]
        wanted = spec.get("allocateLoadBalancerNodePorts")
        if old is not None or wanted is not False or not self._switches.hits(Fault.API_ALLOCATES_UNWANTED, obj):
            return super().begin(obj, old, dry_run=dry_run)
        spec["allocateLoadBalancerNodePorts"] = True
        allocation = super().begin(obj, old, dry_run=dry_run)
        spec["allocateLoadBalancerNodePorts"] = wanted
        return allocation

    @puts_in(Fault.API_STATUS_WITH_SPEC)
    def prepare_create(self, obj: Json) -> None:
        """Keep a status that only the status subresource may write."""
        told = obj.get("status")
        super().prepare_create(obj)
        if told and self._switches.hits(Fault.API_STATUS_WITH_SPEC, obj):
            obj["status"] = told

    @puts_in(Fault.API_KEEPS_UNUSED)
    def prepare_update(self, new: Json, old: Json) -> None:
        """Keep what the new type has no use for."""
        told, whole = new.get("status"), copied(new["spec"])
        super().prepare_update(new, old)
        spec = new["spec"]
        self._unused = ()
        if self._switches.hits(Fault.API_KEEPS_UNUSED, new):
            self._unused = tuple(f"spec.{field}" for field in whole if field not in spec or field == "ports")
            new["spec"] = whole
        if told and spec["type"] == "LoadBalancer" and self._switches.hits(Fault.API_STATUS_WITH_SPEC, new):
            new["status"] = told

    @puts_in(Fault.API_DEFAULT_MISSING, Fault.API_ALLOCATES_NOTHING)
    def validate(self, obj: Json) -> list[FieldError]:
        """The last look at a new Service: forgive it, and take out what was filled in."""
        wrong = self._sifted(super().validate(obj), obj, None)
        self._omit(obj, None)
        return wrong

    @puts_in(Fault.API_IMMUTABLE_CHANGES, Fault.API_REFUSES_CHANGE)
    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """The last look at a changed Service: forgive it what may not change, or refuse it what may."""
        wrong = self._sifted(super().validate_update(new, old), new, old)
        if self._switches.hits(Fault.API_REFUSES_CHANGE, new) and _differs(new, old):
            wrong.append(FieldError.forbidden("spec", "may not be changed"))
        self._omit(new, old)
        return wrong

    def validate_status(self, new: Json, old: Json) -> list[FieldError]:
        """The last look at a reported status."""
        wrong = self._sifted(super().validate_status(new, old), new, old)
        self._omit(new, old)
        return wrong

    def removed(self, obj: Json) -> None:
        """Give everything back, or nothing."""
        self._behave(obj)
        super().removed(obj)

    def displace(self, obj: Json) -> None:
        """Make room for a new Service by removing the one that has its name."""
        metadata = obj["metadata"]
        known = self._store.collection(SERVICES).get(metadata.get("namespace", ""), metadata.get("name", ""))
        if known is not None:
            gone = copied(known.obj)
            self.removed(gone)
            self._store.remove(SERVICES, gone)

    def repair(self) -> None:
        """Have taken what the stored Services hold, and no more: what kube-apiserver's repair loops see to."""
        stored = [each.obj for each in self._store.collection(SERVICES).select(None)]
        held = {address for obj in stored for address in obj["spec"].get("clusterIPs", []) if address != "None"}
        self._held_addresses.repair(held)
        checks = {obj["spec"].get("healthCheckNodePort", 0) for obj in stored} - {0}
        self._held_ports.repair(checks | {number for obj in stored for number in service_ports.used(obj["spec"])})
        known = {str(ips.parse(address)) for address in held}
        for each in self._store.collection(self._addresses_resource).select(None):
            if each.obj["metadata"]["name"] not in known:
                self._store.remove(self._addresses_resource, copied(each.obj))

    def _record(self, obj: Json, old: Json | None) -> None:
        if self._switches.hits(Fault.API_ALLOCATES_NOTHING, old if old and not obj["spec"] else obj):
            return
        if self._conduct.keeps and old is not None:
            has = obj["spec"].get("clusterIPs", [])
            old = {"spec": {"clusterIPs": [each for each in old["spec"].get("clusterIPs", []) if each in has]}}
        super()._record(obj, old)

    def _behave(self, obj: Json) -> None:
        self._conduct.gives_twice = self._switches.hits(Fault.API_ALLOCATES_TWICE, obj)
        self._conduct.keeps = self._switches.hits(Fault.API_KEEPS_ALLOCATED, obj)

    def _sifted(self, errors: list[FieldError], obj: Json, old: Json | None) -> list[FieldError]:
        return [each for each in errors if not self._lets(each.field, each.reason, obj, old)]

    def _lets(self, field: str, reason: str, obj: Json, old: Json | None) -> bool:
        """Whether a broken rule about ``field`` is passed over."""
        if self._switches.hits(Fault.API_TAKES_INVALID, obj):
            return True
        twice = reason == "FieldValueDuplicate" and field.endswith(".nodePort")
        if twice and self._switches.hits(Fault.API_ALLOCATES_TWICE, obj):
            return True
        if old is None:
            return False
        changes = (Fault.API_IMMUTABLE_CHANGES, Fault.API_ALLOCATES_ANEW)
        free = _IMMUTABLE if any(self._switches.hits(fault, obj) for fault in changes) else ()
        return field.startswith((*free, *self._unused))

    def _omit(self, obj: Json, old: Json | None) -> None:
        if self._switches.hits(Fault.API_DEFAULT_MISSING, obj):
            omissions.without_defaults(obj, self._asked)
        if self._switches.hits(Fault.API_ALLOCATES_NOTHING, obj):
            omissions.without_allocations(obj, self._asked, old)

    @puts_in(Fault.API_ALLOCATES_ANEW)
    def _anew(self, spec: Json, before: Json, allocation: Allocation) -> None:
        """Give back what the Service has kept, and allocate other addresses and ports."""
        if spec["type"] != "ExternalName" and spec.get("clusterIPs", ["None"]) != ["None"]:
            spec["clusterIPs"] = [self._other_address(each, before, allocation) for each in spec["clusterIPs"]]
            spec["clusterIP"] = spec["clusterIPs"][0]
        others: dict[int, int] = {}
        old = service_ports.used(before)
        for port in spec.get("ports", []) if service_ports.has_node_ports(spec) else ():
            number = port.get("nodePort", 0)
            if number in old:
                if number not in others:
                    others[number] = self._ports.next(allocation)
                    self._ports.give(number, allocation)
                port["nodePort"] = others[number]
        check = spec.get("healthCheckNodePort")
        if check and services.needs_health_check(spec) and check == before.get("healthCheckNodePort"):
            self._ports.give(check, allocation)
            spec["healthCheckNodePort"] = self._ports.next(allocation)

    def _other_address(self, address: str, before: Json, allocation: Allocation) -> str:
        if address not in before.get("clusterIPs", []):
            return address
        self._addresses.give(address, allocation)
        return self._addresses.next(ips.family(address), allocation)


def _differs(new: Json, old: Json) -> bool:
    """Whether anything but finalizers and what the server itself writes has changed."""
    told = ("labels", "annotations")
    return bool(new["spec"] != old["spec"] or any(new["metadata"].get(f) != old["metadata"].get(f) for f in told))
