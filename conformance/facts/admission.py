"""Admission policies that may change, or refuse, what a run creates. The parser is pure."""

from __future__ import annotations

from conformance.facts.workloads import Product, Workloads, named
from conformance.model.facts import Fact

PRODUCTS = (
    Product("kyverno", r"kyverno"),
    Product("gatekeeper", r"gatekeeper"),
    Product("kubewarden", r"policy-server|kubewarden-controller"),
)


def engines(seen: Workloads) -> Fact[str]:
    """The policy engines that run."""
    return named(seen.of(PRODUCTS), seen, "admission policy engine")
