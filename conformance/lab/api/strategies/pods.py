"""Pods: defaults, admission, binding to a node, and deletion with grace."""

from __future__ import annotations

from typing import Any

from conformance.lab.api import status
from conformance.lab.api.resources import resource
from conformance.lab.api.status import FieldError
from conformance.lab.api.store import Store
from conformance.lab.api.strategies.base import Strategy
from conformance.lab.api.strategies.pod_defaults import default_pod, quality
from conformance.lab.api.strategies.pod_token import mount_token
from conformance.lab.api.validation import pods

Json = dict[str, Any]


class PodStrategy(Strategy):
    """The rules of pods."""

    status = True
    generation = True
    returns_deleted = True

    def __init__(self, store: Store) -> None:
        self._accounts = store.collection(resource("", "serviceaccounts"))

    def default(self, obj: Json) -> None:
        """What ``SetDefaults_Pod`` and the default admission plug-ins promise."""
        default_pod(obj.setdefault("spec", {}))

    def admit(self, obj: Json) -> None:
        """The ServiceAccount; the namespace's own may still be on its way, another must be there."""
        spec, metadata = obj["spec"], obj["metadata"]
        name = spec.setdefault("serviceAccountName", "default")
        spec["serviceAccount"] = name
        account = self._accounts.get(metadata["namespace"], name)
        if name != "default" and account is None:
            where = f"{metadata['namespace']}/{name}"
            why = f'error looking up service account {where}: serviceaccount "{name}" not found'
            raise status.forbidden(resource("", "pods"), metadata.get("name", ""), why)
        of_account = account.obj.get("automountServiceAccountToken", True) if account else True
        if spec.get("automountServiceAccountToken", of_account):
            mount_token(spec)

    def prepare_create(self, obj: Json) -> None:
        """Pending, whatever the client says."""
        obj["status"] = {"phase": "Pending", "qosClass": quality(obj["spec"])}

    def prepare_update(self, new: Json, old: Json) -> None:
        """Keep the status, and what an update may leave out."""
        super().prepare_update(new, old)
        for field in ("nodeName", "serviceAccountName", "serviceAccount"):
            if field in old["spec"]:
                new["spec"].setdefault(field, old["spec"][field])

    def prepare_status(self, new: Json, old: Json) -> None:
        """Keep everything but the status, and in it what only the server says."""
        super().prepare_status(new, old)
        quality_class = old.get("status", {}).get("qosClass")
        if quality_class:
            new.setdefault("status", {}).setdefault("qosClass", quality_class)

    def validate(self, obj: Json) -> list[FieldError]:
        """Errors of a new pod."""
        return pods.spec_errors(obj["spec"], "spec")

    def validate_update(self, new: Json, old: Json) -> list[FieldError]:
        """Errors of a changed pod."""
        return pods.spec_errors(new["spec"], "spec") + pods.update_errors(new, old)

    def begin_delete(self, obj: Json, grace: int | None) -> int:
        """The asked grace, or the pod's own; none for a pod that runs nowhere or has ended."""
        spec, phase = obj["spec"], obj.get("status", {}).get("phase")
        if not spec.get("nodeName") or phase in ("Failed", "Succeeded"):
            return 0
        own = int(spec.get("terminationGracePeriodSeconds", 30))
        return max(0, own if grace is None else grace)
