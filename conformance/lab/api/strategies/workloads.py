"""Deployments, ReplicaSets and DaemonSets."""

from __future__ import annotations

from typing import Any

from conformance.lab.api import selectors
from conformance.lab.api.status import FieldError
from conformance.lab.api.strategies.base import Strategy
from conformance.lab.api.strategies.pod_defaults import default_spec
from conformance.lab.api.validation import metadata, pods

Json = dict[str, Any]


def label_selector(selector: Json) -> str:
    """A ``LabelSelector`` as the text that a query has."""
    terms = [f"{key}={value}" for key, value in selector.get("matchLabels", {}).items()]
    for each in selector.get("matchExpressions", []):
        values = f"({','.join(each.get('values', []))})"
        match each.get("operator"):
            case "In":
                terms.append(f"{each['key']} in {values}")
            case "NotIn":
                terms.append(f"{each['key']} notin {values}")
            case "DoesNotExist":
                terms.append(f"!{each['key']}")
            case _:
                terms.append(each["key"])
    return ",".join(terms)


class WorkloadStrategy(Strategy):
    """What the three have in common: a selector that stays, and a template that it must match."""

    status = True
    generation = True

    def default(self, obj: Json) -> None:
        """The template's defaults."""
        spec = obj.setdefault("spec", {})
        template = spec.setdefault("template", {})
        template.setdefault("metadata", {}).pop("creationTimestamp", None)
        default_spec(template.setdefault("spec", {}))

    def validate(self, obj: Json) -> list[FieldError]:
        """Errors of selector and template."""
        spec = obj["spec"]
        selector, template = spec.get("selector"), spec["template"]
        labels = template["metadata"].get("labels", {})
        errors: list[FieldError] = []
        if not selector:
            errors.append(FieldError.required("spec.selector"))
            errors.append(FieldError.invalid("spec.selector", {}, "empty selector is invalid for deployment"))
        else:
            matches = selectors.labels(label_selector(selector))
            if matches is not None and not matches(labels):
                why = "`selector` does not match template `labels`"
                errors.append(FieldError.invalid("spec.template.metadata.labels", labels, why))
        errors += metadata.labels(labels, "spec.template.metadata.labels")
        errors += pods.spec_errors(template["spec"], "spec.template.spec")
        policy = template["spec"].get("restartPolicy")
        if policy != "Always":
            errors.append(FieldError.not_supported("spec.template.spec.restartPolicy", policy, ("Always",)))
        replicas = spec.get("replicas", 0)
        if replicas < 0:
            errors.append(FieldError.invalid("spec.replicas", replicas, "must be greater than or equal to 0"))
        return errors

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """The selector stays."""
        errors = self.validate(new)
        if new["spec"].get("selector") != old["spec"].get("selector"):
            errors.append(FieldError.invalid("spec.selector", new["spec"].get("selector"), "field is immutable"))
        return errors


class DeploymentStrategy(WorkloadStrategy):
    """Rolling updates by a quarter."""

    def default(self, obj: Json) -> None:
        """What ``SetDefaults_Deployment`` promises."""
        super().default(obj)
        spec = obj["spec"]
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        strategy = spec.setdefault("strategy", {})
        if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", "25%")
            rolling.setdefault("maxSurge", "25%")


class ReplicaSetStrategy(WorkloadStrategy):
    """One replica."""

    def default(self, obj: Json) -> None:
        """What ``SetDefaults_ReplicaSet`` promises."""
        super().default(obj)
        obj["spec"].setdefault("replicas", 1)


class DaemonSetStrategy(WorkloadStrategy):
    """One node at a time."""

    def default(self, obj: Json) -> None:
        """What ``SetDefaults_DaemonSet`` promises."""
        super().default(obj)
        spec = obj["spec"]
        spec.setdefault("revisionHistoryLimit", 10)
        strategy = spec.setdefault("updateStrategy", {})
        if strategy.setdefault("type", "RollingUpdate") == "RollingUpdate":
            rolling = strategy.setdefault("rollingUpdate", {})
            rolling.setdefault("maxUnavailable", 1)
            rolling.setdefault("maxSurge", 0)
