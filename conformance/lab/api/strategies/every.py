"""Which strategy each resource has."""

from __future__ import annotations

from conformance.lab.api.config import Config
from conformance.lab.api.store import Store
from conformance.lab.api.strategies.base import Strategy
from conformance.lab.api.strategies.namespaces import NamespaceStrategy


def strategies(store: Store, config: Config) -> dict[tuple[str, str], Strategy]:
    """The strategies of one server, by the key of the resource."""
    return {("", "namespaces"): NamespaceStrategy()}
