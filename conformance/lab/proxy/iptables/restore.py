"""The input of iptables-restore: everything anew, or only what changed; and the output of iptables-save, read."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from conformance.lab.proxy.iptables import names
from conformance.lab.proxy.iptables.frame import JUMPS, KUBELET_JUMPS, Jump
from conformance.lab.proxy.iptables.tables import Part, Rule, Tables

LARGE = 1000
"""The endpoints beyond which comments cost more than they tell, and old chains may stay a while: kube-proxy's limit."""

_SOURCES = frozenset(jump.source for jump in JUMPS)


@dataclass(slots=True)
class Saved:
    """What a table has: its chains' names, and the rules of iptables' own chains as sorted words, for comparison."""

    chains: set[str] = field(default_factory=set)
    rules: dict[str, list[list[str]]] = field(default_factory=dict)

    def has(self, jump: Jump) -> bool:
        """Whether the jump is there, whatever the order of its matches."""
        return sorted(shlex.split(jump.text)) in self.rules.get(jump.source, ())


@dataclass(frozen=True, slots=True)
class Restore:
    """``text`` for ``iptables-restore --noflush``, and how many rules of a table it is about and writes."""

    text: str
    filter_rules: int
    nat_rules: int
    nat_written: int


def saved(text: str) -> dict[str, Saved]:
    """The tables in what iptables-save printed, by name; a table that is not there is empty."""
    found = {name: Saved() for name in ("filter", "nat", "mangle")}
    table = Saved()
    for line in text.splitlines():
        if line.startswith("*"):
            table = found.setdefault(line[1:], Saved())
        elif line.startswith(":"):
            table.chains.add(line[1:].split(" ", 1)[0])
        elif line.startswith("-A "):
            _, chain, rule = line.split(" ", 2)
            if chain in _SOURCES:
                table.rules.setdefault(chain, []).append(sorted(shlex.split(rule)))
    return found


def restore(tables: Tables, changed: Collection[str] | None, found: Mapping[str, Saved]) -> Restore:
    """All of ``tables``, or (``changed`` is not None) the shared chains and those of the ``changed`` Services.

    ``found`` is what the kernel has: chains of Services that are gone are deleted, and missing jumps put in if all is
    written. A table without an entry is left as it is in these respects.
    """
    whole, large = changed is None, tables.endpoint_count > LARGE
    written = [part for key, part in tables.parts.items() if changed is None or key in changed]
    active = {chain for part in tables.parts.values() for chain in part.chains}
    stale = sorted(c for c in _chains(found, "nat") if names.is_service_chain(c) and c not in active)
    filter_rules = [*_shared(tables, "filter"), *_rules(tables.frame.filter)]
    shared, own = [*_shared(tables, "nat"), *_rules(tables.frame.nat)], [r for p in written for r in _own(p, large)]
    filter_chains = [*tables.frame.filter, *_kubelet_chain(found)] if whole else [*tables.frame.filter]
    nat_chains = [*tables.frame.nat, *(chain for part in written for chain in part.chains), *stale]
    text = [
        *_table("filter", filter_chains, [*(_jumps(found, "filter") if whole else ()), *filter_rules]),
        *_table(
            "nat",
            nat_chains,
            [*(_jumps(found, "nat") if whole else ()), *shared, *own, *(f"-X {chain}" for chain in stale)],
        ),
    ]
    total = sum(len(rules) for part in tables.parts.values() for rules in part.chains.values())
    return Restore("\n".join([*text, ""]), len(filter_rules), len(shared) + total, len(shared) + len(own))


def removal(found: Mapping[str, Saved]) -> str:
    """The input that takes away everything of kube-proxy's that was ``found``; empty when there is nothing.

    What it shares with the kubelet stays.
    """
    text: list[str] = []
    for name in ("filter", "nat", "mangle"):
        known = found[name]
        jumps = [f"-D {jump.source} {jump.text}" for jump in JUMPS if jump.table == name and known.has(jump)]
        chains = sorted(c for c in known.chains if c in _OURS[name] or (name == "nat" and names.is_service_chain(c)))
        if jumps or chains:
            text += _table(name, chains, [*jumps, *(f"-X {chain}" for chain in chains)])
    return "\n".join([*text, ""]) if text else ""


def canaries() -> str:
    """The input that puts an empty chain into every table, whose absence tells that somebody flushed them."""
    return "\n".join([*(line for name in _OURS for line in _table(name, [names.CANARY], [])), ""])


_OURS = {
    "filter": frozenset(
        {
            names.SERVICES,
            names.EXTERNAL_SERVICES,
            names.FORWARD,
            names.NODE_PORTS,
            names.PROXY_FIREWALL,
            names.CANARY,
        }
    ),
    "nat": frozenset({names.SERVICES, names.NODE_PORTS, names.POSTROUTING, names.MARK_MASQ, names.CANARY}),
    "mangle": frozenset({names.CANARY}),
}


def _chains(found: Mapping[str, Saved], table: str) -> set[str]:
    return found[table].chains if table in found else set()


def _kubelet_chain(found: Mapping[str, Saved]) -> list[str]:
    """The kubelet's chain where it has none: a chain that is named is emptied, too."""
    return [names.KUBELET_FIREWALL] if names.KUBELET_FIREWALL not in _chains(found, "filter") else []


def _jumps(found: Mapping[str, Saved], table: str) -> list[str]:
    known = found.get(table, Saved())
    return [f"-I {j.source} {j.text}" for j in (*JUMPS, *KUBELET_JUMPS) if j.table == table and not known.has(j)]


def _shared(tables: Tables, table: str) -> list[str]:
    parts = tables.parts.values()
    return [_line(chain, rule) for p in parts for chain, rule in (p.filter if table == "filter" else p.nat)]


def _rules(chains: Mapping[str, Iterable[Rule]]) -> list[str]:
    return [_line(chain, rule) for chain, rules in chains.items() for rule in rules]


def _own(part: Part, large: bool) -> list[str]:
    return [_line(chain, rule, bare=large and rule.spared) for chain, rules in part.chains.items() for rule in rules]


def _line(chain: str, rule: Rule, *, bare: bool = False) -> str:
    comment = f' -m comment --comment "{rule.comment}"' if rule.comment and not bare else ""
    return f"-A {chain}{comment} {rule.text}".rstrip()


def _table(name: str, chains: Iterable[str], rules: Iterable[str]) -> list[str]:
    return [f"*{name}", *(f":{chain} - [0:0]" for chain in dict.fromkeys(chains)), *rules, "COMMIT"]
