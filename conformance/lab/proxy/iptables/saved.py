"""What iptables-save prints, as far as the proxy wants to know it."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

from conformance.lab.proxy.iptables import names
from conformance.lab.proxy.iptables.frame import JUMPS, KUBELET_JUMPS, Jump
from conformance.lab.proxy.iptables.tables import Tables

_SOURCES = frozenset(jump.source for jump in JUMPS)


@dataclass(slots=True)
class Saved:
    """What a table has: its chains' names, and the rules of iptables' own chains as sorted words, for comparison."""

    chains: set[str] = field(default_factory=set)
    rules: dict[str, list[list[str]]] = field(default_factory=dict)

    def has(self, jump: Jump) -> bool:
        """Whether the jump is there, whatever the order of its matches."""
        return sorted(shlex.split(jump.text)) in self.rules.get(jump.source, ())


Found = Mapping[str, Saved]
"""By table: every one that was looked at, empty where there is none."""


def saved(text: str) -> dict[str, Saved]:
    """The tables in ``text``."""
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


def missing_jumps(found: Found, table: str) -> list[str]:
    """The lines that put in the jumps which ``table`` lacks."""
    known = found[table]
    return [f"-I {j.source} {j.text}" for j in (*JUMPS, *KUBELET_JUMPS) if j.table == table and not known.has(j)]


def missing_kubelet_chain(found: Found) -> list[str]:
    """The kubelet's chain where it has none; a chain that is declared is emptied, too."""
    return [names.KUBELET_FIREWALL] if names.KUBELET_FIREWALL not in found["filter"].chains else []


def stale_chains(found: Found, tables: Tables) -> list[str]:
    """The chains of Services that ``tables`` know nothing of."""
    active = {chain for part in tables.parts.values() for chain in part.chains}
    known = found["nat"].chains if "nat" in found else ()
    return sorted(chain for chain in known if names.is_service_chain(chain) and chain not in active)
