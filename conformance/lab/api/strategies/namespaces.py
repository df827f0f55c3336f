"""Namespaces: they go only when their content is gone (finalizer ``kubernetes``)."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.strategies.base import Strategy
from conformance.lab.api.validation.names import dns_label

Json = dict[str, Any]


class NamespaceStrategy(Strategy):
    """Phase, the label with the name, and deletion in two steps."""

    status = True
    returns_deleted = True
    undeletable = frozenset({"default", "kube-system", "kube-public"})

    def validate_name(self, name: str) -> list[str]:
        """A namespace is a DNS label."""
        return dns_label(name)

    def default(self, obj: Json) -> None:
        """The label that selectors find the namespace by."""
        metadata = obj["metadata"]
        if metadata.get("name"):
            metadata.setdefault("labels", {})["kubernetes.io/metadata.name"] = metadata["name"]

    def prepare_create(self, obj: Json) -> None:
        """Active, and held by its finalizer."""
        obj["status"] = {"phase": "Active"}
        finalizers = obj.get("spec", {}).get("finalizers", [])
        obj["spec"] = {"finalizers": [*(each for each in finalizers if each != "kubernetes"), "kubernetes"]}

    def prepare_update(self, new: Json, old: Json) -> None:
        """Only ``/finalize`` changes the finalizers."""
        super().prepare_update(new, old)
        new["spec"] = old["spec"]

    def holds(self, obj: Json) -> bool:
        """The namespace's content may still be there."""
        return bool(obj.get("spec", {}).get("finalizers"))

    def marked(self, obj: Json) -> None:
        """No new content from now on."""
        obj["status"] = {**obj.get("status", {}), "phase": "Terminating"}
