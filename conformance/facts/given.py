"""Facts that the user says: ``--fact name=value``. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from enum import Enum
from ipaddress import ip_network
from typing import Any, TypeVar

from conformance.errors import UsageError
from conformance.model.addresses import Family
from conformance.model.cluster import DetectLocal, ProxyMode
from conformance.model.facts import GIVEN, Fact, Facts, minor

E = TypeVar("E", bound=Enum)


def given(texts: Iterable[str]) -> Mapping[str, Fact[Any]]:
    """The facts in ``name=value`` texts, the last word on each; `UsageError` for one that is none."""
    found: dict[str, Fact[Any]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name = name.strip().replace("-", "_")
        if not equals:
            raise UsageError(f"--fact {text!r} is not NAME=VALUE.", "For example: --fact proxy_mode=nftables")
        if name not in READERS:
            raise _no_fact(name)
        try:
            found[name] = Fact(READERS[name](value.strip()), GIVEN)
        except ValueError as fault:
            raise UsageError(f"--fact {name}: {value!r} is {fault}.", "docs/facts.md has the form of each.") from None
    return found


def with_given(facts: Facts, texts: Iterable[str]) -> Facts:
    """``facts``, those in ``texts`` as the user says; `UsageError` for one of a node that the cluster does not have."""
    found = given(texts)
    known = {node.name for node in facts.nodes.otherwise(())}
    for name, fact in found.items():
        strange = sorted(set(fact.value) - known) if isinstance(fact.value, Mapping) and known else []
        if strange:
            raise UsageError(
                f"--fact {name}: the cluster has no Ready node {strange[0]}.", f"It has {', '.join(sorted(known))}."
            )
    return facts.learned(**found)


def _word(text: str) -> str:
    if not text:
        raise ValueError("empty")
    return text


def _version(text: str) -> str:
    if minor(text) is None:
        raise ValueError("no version such as v1.36.2")
    return text


def _list(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _networks(*besides: str) -> Callable[[str], tuple[str, ...]]:
    def read(text: str) -> tuple[str, ...]:
        try:
            for word in _list(text):
                if word not in besides:
                    ip_network(word, strict=False)
        except ValueError:
            raise ValueError("no list of addresses or CIDRs, with commas") from None
        return _list(text)

    return read


def _named(text: str) -> str:
    if not all(text.partition("/")):
        raise ValueError("not NAMESPACE/NAME")
    return text


def _boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("neither true nor false")
    return text == "true"


def _one_of(kind: type[E]) -> Callable[[str], E]:
    def read(text: str) -> E:
        for member in kind:
            if member.value.lower() == text.lower():
                return member
        raise ValueError(f"none of {', '.join(str(member.value) for member in kind)}")

    return read


def _families(text: str) -> tuple[Family, ...]:
    read = _one_of(Family)
    found = tuple(read(word) for word in _list(text))
    if not found:
        raise ValueError("empty")
    return found


def _by_node(text: str) -> dict[str, str]:
    pairs = [word.partition("=") for word in _list(text)]
    if not pairs or not all(node and value for node, _, value in pairs):
        raise ValueError("not NODE=VALUE, with commas between several")
    return {node: value for node, _, value in pairs}


READERS: Mapping[str, Callable[[str], Any]] = {
    "version": _version,
    "zones": _by_node,
    "unschedulable": _list,
    "kubelets": _by_node,
    "systems": _by_node,
    "kernels": _by_node,
    "runtimes": _by_node,
    "nft_versions": _by_node,
    "host_nft_versions": _by_node,
    "families": _families,
    "service_cidrs": _networks(),
    "cluster_cidrs": _networks(),
    "proxy_mode": _one_of(ProxyMode),
    "proxy_modes": _by_node,
    "kernel_modes": _by_node,
    "foreign_drops": _by_node,
    "configured_mode": _one_of(ProxyMode),
    "detect_local": _one_of(DetectLocal),
    "node_port_addresses": _networks("primary"),
    "masquerade_all": _boolean,
    "localhost_node_ports": _boolean,
    "proxy_replacement": _word,
    "cni": _word,
    "cni_version": _word,
    "cni_dataplane": _word,
    "cni_agent": _named,
    "policy_engine": _word,
    "load_balancer": _word,
    "dns": _networks(),
    "dns_server": _word,
    "dns_version": _word,
    "node_local_dns": _boolean,
    "admission": _word,
    "may_exec": _boolean,
    "pod_masquerade": _boolean,
    "host_ports": _boolean,
    "policy_enforced": _boolean,
}
"""All but those that no text describes: nodes, and the addresses that they have besides."""


def _no_fact(name: str) -> UsageError:
    if name in {field.name for field in fields(Facts)}:
        return UsageError(f"The fact {name} cannot be given.", "It is what the cluster's Node objects and agents tell.")
    near = difflib.get_close_matches(name, READERS, 1)
    hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(READERS)}."
    return UsageError(f"There is no fact {name!r}.", hint)
