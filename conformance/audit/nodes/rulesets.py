"""Whose base chains hang on a node's hooks, and what other modes of kube-proxy have left there."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.audit.stream import MalformedRuleset, objects
from conformance.audit.table import NAME
from conformance.model.addresses import Family

_WORDS = {Family.IPV4: "ip", Family.IPV6: "ip6"}
_XTABLES = frozenset({"filter", "nat", "mangle", "raw", "security"})
"""The tables of iptables-nft: whoever else names a table so gets in its way (``nft`` warns of them)."""
_OWN_HOOKS = frozenset({"prerouting", "input", "forward", "output", "postrouting"})
# pkg/proxy/iptables/proxier.go and pkg/proxy/ipvs/proxier.go. Not among them what kubelets made as well (before 1.28
# KUBE-MARK-MASQ, KUBE-POSTROUTING, KUBE-FIREWALL; KUBE-IPTABLES-HINT and KUBE-KUBELET-CANARY to this day).
_LEFT = re.compile(
    r"KUBE-(SERVICES|EXTERNAL-SERVICES|NODEPORTS|FORWARD|PROXY-FIREWALL|PROXY-CANARY"
    r"|NODE-PORT|LOAD-BALANCER|SOURCE-RANGES-FIREWALL|IPVS-FILTER|IPVS-OUT-FILTER"
    r"|(SVC|SVL|SEP|FW|XLB|EXT)-[A-Z0-9]+)"
)
_DECLARED = re.compile(r":(\S+) ")


@dataclass(frozen=True, slots=True)
class BaseChain:
    """A chain that packets come to by themselves; ``table`` with its family, e.g. ``inet firewalld``."""

    table: str
    name: str
    type: str
    hook: str
    priority: int
    policy: str

    @property
    def hanging(self) -> str:
        """Where it hangs, and what becomes of packets that it does not decide about."""
        return f"{self.type} {self.hook} {self.priority} {self.policy}"


@dataclass(slots=True)
class Ruleset:
    """All tables of a node: ``base`` chains, the names of all chains by table, and how many rules each table has."""

    base: list[BaseChain] = field(default_factory=list)
    chains: dict[str, list[str]] = field(default_factory=dict)
    rules: Counter[str] = field(default_factory=Counter)

    def hooks(self, family: Family) -> list[str]:
        """kube-proxy's own base chains, as ``name: type hook priority policy``."""
        return [f"{one.name}: {one.hanging}" for one in self.base if one.table == f"{_WORDS[family]} {NAME}"]

    def strangers(self, family: Family) -> list[BaseChain]:
        """Base chains of others on hooks that packets of ``family`` come by."""
        return [one for one in self.base if _concerns(one, family) and one.table != f"{_WORDS[family]} {NAME}"]

    def left_by_iptables(self, family: Family) -> list[str]:
        """Chains of kube-proxy's iptables and ipvs modes, as ``table chain``."""
        mine = ((t, names) for t, names in self.chains.items() if t.split(" ")[0] == _WORDS[family])
        return [f"{t} {name}" for t, names in mine for name in names if _LEFT.fullmatch(name)]

    def xtables_rules(self, family: Family) -> int:
        """Rules in the tables of iptables-nft."""
        return sum(self.rules[f"{_WORDS[family]} {name}"] for name in _XTABLES)


def read_ruleset(pieces: Iterable[str]) -> Ruleset:
    """What ``nft -j list ruleset`` printed, in pieces of any length; `MalformedRuleset` when it is none of nft's."""
    found = Ruleset()
    for plain in objects(pieces):
        if not isinstance(plain, Mapping) or len(plain) != 1:
            raise MalformedRuleset("its array holds something that is no object of nft's")
        ((kind, fields),) = plain.items()
        try:
            _take(found, kind, fields)
        except (LookupError, TypeError, ValueError, AttributeError) as fault:
            raise MalformedRuleset(f"one of its {kind}s lacks or garbles {fault}") from None
    return found


def read_legacy(text: str) -> tuple[list[str], int]:
    """What ``iptables-legacy-save`` printed: the chains of kube-proxy's other modes, and the number of all rules."""
    lines = text.splitlines()
    declared = (match[1] for line in lines if (match := _DECLARED.match(line)))
    return [name for name in declared if _LEFT.fullmatch(name)], sum(line.startswith("-A ") for line in lines)


def _take(found: Ruleset, kind: str, plain: Mapping[str, Any]) -> None:
    if kind == "rule":
        found.rules[f"{plain['family']} {plain['table']}"] += 1
    elif kind == "chain":
        table = f"{plain['family']} {plain['table']}"
        found.chains.setdefault(table, []).append(str(plain["name"]))
        found.base.extend(_base(table, plain))


def _base(table: str, plain: Mapping[str, Any]) -> Iterator[BaseChain]:
    if "hook" in plain:
        policy = str(plain.get("policy", "accept"))
        yield BaseChain(table, str(plain["name"]), str(plain["type"]), str(plain["hook"]), int(plain["prio"]), policy)


def _concerns(chain: BaseChain, family: Family) -> bool:
    return chain.hook in _OWN_HOOKS and chain.table.split(" ")[0] in (_WORDS[family], "inet")
