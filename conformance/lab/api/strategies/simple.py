"""Resources with few rules of their own: nodes, ConfigMaps, Secrets, ServiceAccounts, roles, policies, leases."""

from __future__ import annotations

import base64
from typing import Any

from conformance.lab.api.allocation import Allocation
from conformance.lab.api.resources import resource
from conformance.lab.api.status import FieldError
from conformance.lab.api.store import Store
from conformance.lab.api.strategies.base import Strategy
from conformance.lab.api.validation import network_policies
from conformance.lab.api.validation.names import config_key, path_segment

Json = dict[str, Any]

_SUBJECTS = ("ServiceAccount", "User", "Group")


class NodeStrategy(Strategy):
    """A kubelet registers its node together with its status."""

    status = True

    def default(self, obj: Json) -> None:
        """podCIDR is the first of podCIDRs."""
        spec = obj.setdefault("spec", {})
        if spec.get("podCIDRs"):
            spec.setdefault("podCIDR", spec["podCIDRs"][0])
        elif spec.get("podCIDR"):
            spec["podCIDRs"] = [spec["podCIDR"]]

    def prepare_create(self, obj: Json) -> None:
        """The status stays."""

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """Pod CIDRs stay once they are set."""
        before = old["spec"].get("podCIDRs")
        if before and new["spec"].get("podCIDRs") != before:
            why = 'node updates may not change podCIDR except from "" to valid'
            return [FieldError.forbidden("spec.podCIDRs", why)]
        return []


class ConfigMapStrategy(Strategy):
    """Keys are file names; ``immutable`` holds."""

    fields: tuple[str, ...] = ("data", "binaryData")

    def validate(self, obj: Json) -> list[FieldError]:
        """Errors of keys."""
        errors = []
        for field in self.fields:
            for key in obj.get(field, {}):
                errors += [FieldError.invalid(f"{field}[{key}]", key, why) for why in config_key(key)]
        return errors

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """An immutable object stays as it is."""
        errors = self.validate(new)
        if old.get("immutable"):
            if not new.get("immutable"):
                errors.append(FieldError.forbidden("immutable", "field is immutable when `immutable` is set"))
            errors += [
                FieldError.forbidden(field, "field is immutable when `immutable` is set")
                for field in self.fields
                if new.get(field) != old.get(field)
            ]
        return errors


class SecretStrategy(ConfigMapStrategy):
    """``stringData`` is written into ``data``."""

    fields = ("data",)

    def default(self, obj: Json) -> None:
        """Opaque, and everything in base64."""
        if not obj.get("type"):
            obj["type"] = "Opaque"
        for key, value in (obj.pop("stringData", None) or {}).items():
            obj.setdefault("data", {})[key] = base64.b64encode(value.encode()).decode()

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """The type stays."""
        errors = super().validate_update(new, old)
        if new["type"] != old["type"]:
            errors.append(FieldError.invalid("type", new["type"], "field is immutable"))
        return errors


class ServiceAccountStrategy(Strategy):
    """Deleting one answers with it."""

    returns_deleted = True


class RoleStrategy(Strategy):
    """Roles have any name that fits into a path."""

    def validate_name(self, name: str) -> list[str]:
        """``system:node`` is a name."""
        return path_segment(name)

    def default(self, obj: Json) -> None:
        """A role without rules has none."""
        obj.setdefault("rules", [])


class BindingStrategy(RoleStrategy):
    """The role of a binding stays."""

    def default(self, obj: Json) -> None:
        """The API group of subjects and role follows from their kind."""
        group = "rbac.authorization.k8s.io"
        obj.setdefault("roleRef", {}).setdefault("apiGroup", group)
        for subject in obj.get("subjects", []):
            if subject.get("kind") in ("User", "Group"):
                subject.setdefault("apiGroup", group)

    def validate(self, obj: Json) -> list[FieldError]:
        """Errors of the role and the subjects."""
        reference = obj["roleRef"]
        kinds = ("Role", "ClusterRole") if obj["kind"] == "RoleBinding" else ("ClusterRole",)
        errors = []
        if reference.get("kind") not in kinds:
            errors.append(FieldError.not_supported("roleRef.kind", reference.get("kind", ""), kinds))
        if not reference.get("name"):
            errors.append(FieldError.required("roleRef.name"))
        for index, subject in enumerate(obj.get("subjects", [])):
            if subject.get("kind") not in _SUBJECTS:
                kind = subject.get("kind", "")
                errors.append(FieldError.not_supported(f"subjects[{index}].kind", kind, _SUBJECTS))
            if not subject.get("name"):
                errors.append(FieldError.required(f"subjects[{index}].name"))
            if subject.get("kind") == "ServiceAccount" and not subject.get("namespace"):
                errors.append(FieldError.required(f"subjects[{index}].namespace"))
        return errors

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """The role of a binding stays."""
        errors = self.validate(new)
        if new["roleRef"] != old["roleRef"]:
            errors.append(FieldError.invalid("roleRef", new["roleRef"], "cannot change roleRef"))
        return errors


class NetworkPolicyStrategy(Strategy):
    """Policies count their generations and say what they police."""

    generation = True

    def default(self, obj: Json) -> None:
        """What ``SetDefaults_NetworkPolicy`` promises."""
        spec = obj.setdefault("spec", {})
        spec.setdefault("podSelector", {})
        if not spec.get("policyTypes"):
            spec["policyTypes"] = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
        for rule in (*spec.get("ingress", []), *spec.get("egress", [])):
            for port in rule.get("ports", []):
                port.setdefault("protocol", "TCP")

    def validate(self, obj: Json) -> list[FieldError]:
        """Errors of selectors, rules and policy types."""
        return network_policies.errors(obj["spec"])

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """The same; a CIDR that was there before may stay."""
        return network_policies.errors(new["spec"], old["spec"])


class EventStrategy(Strategy):
    """Events are forgotten: the real server keeps them for an hour, this one keeps so many per namespace."""

    create_on_update = True
    kept = 2000

    def __init__(self, store: Store) -> None:
        self._store = store
        self._resource = resource("", "events")

    def begin(self, obj: Json, old: Json | None, *, dry_run: bool) -> Allocation:
        """Make room for a new event."""
        allocation = Allocation(dry_run=dry_run)
        if old is None:
            allocation.then(lambda: self._forget(obj["metadata"]["namespace"]))
        return allocation

    def _forget(self, namespace: str) -> None:
        events = self._store.collection(self._resource).objects.get(namespace, {})
        if len(events) >= self.kept:
            oldest = next(iter(events.values())).obj
            self._store.remove(self._resource, {**oldest, "metadata": dict(oldest["metadata"])})


class LeaseStrategy(Strategy):
    """A PUT makes a lease that is not there; one without a version is refused."""

    create_on_update = True
    unconditional_update = False
