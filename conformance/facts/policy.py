"""Who enforces NetworkPolicies. The parser is pure."""

from __future__ import annotations

import re

from conformance.facts import cni
from conformance.facts.answer import JSON, Answer, at, text
from conformance.facts.workloads import Found, Product, Workloads, named
from conformance.model.facts import Fact

_ALSO = (cni.CALICO, cni.CILIUM, cni.KINDNET, cni.KUBE_ROUTER, cni.ANTREA, cni.OVN, cni.KUBE_OVN)
AWS_AGENT = "aws-network-policy-agent"
PRODUCTS = (
    *(product for product in cni.PRODUCTS if product.name in _ALSO),
    Product("weave-npc", r"weave-npc"),
    Product("azure-npm", r"azure-npm"),
    Product(AWS_AGENT, r"aws-network-policy-agent"),
    Product("kube-network-policies", r"kube-network-policies"),
)

_KINDNET_ENFORCES_SINCE = 20240813
"""The date in the tag of the first kindnetd that does, that of kind v0.24.0."""


def engine(seen: Workloads, cilium_config: Answer[JSON]) -> Fact[str]:
    """The implementations that run and are not switched off."""
    running = [found for found in seen.of(PRODUCTS) if _enforces(found, cilium_config.found)]
    return named(running, seen, "NetworkPolicy implementation that enforces")


def _enforces(found: Found, cilium_config: JSON | None) -> bool:
    flags = found.container.flags
    if found.product == cni.CILIUM:
        off = text(at(cilium_config, "data", "enable-policy")) == "never"
        return not off and text(at(cilium_config, "data", "enable-k8s-networkpolicy")) != "false"
    if found.product == cni.KUBE_ROUTER:
        return flags.get("run-firewall", "true") == "true"
    if found.product == AWS_AGENT:
        return flags.get("enable-network-policy") == "true"
    if found.product == cni.KINDNET:
        date = re.match(r"v(\d{8})", found.container.tag)
        return flags.get("network-policy") == "true" or bool(date and int(date[1]) >= _KINDNET_ENFORCES_SINCE)
    return True
