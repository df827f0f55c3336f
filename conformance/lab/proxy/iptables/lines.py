"""The lines of iptables-restore's input."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from conformance.lab.proxy.iptables.tables import Part, Rule, Tables

LARGE = 1000
"""The endpoints beyond which comments cost more than they tell, and old chains may stay a while: kube-proxy's limit."""


def table(name: str, chains: Iterable[str], rules: Iterable[str]) -> list[str]:
    """One transaction: ``chains`` made or emptied, then ``rules``."""
    return [f"*{name}", *(f":{chain} - [0:0]" for chain in dict.fromkeys(chains)), *rules, "COMMIT"]


def as_input(lines: Iterable[str]) -> str:
    """The lines as iptables-restore reads them; empty when there are none."""
    return "".join(f"{line}\n" for line in lines)


def written(tables: Tables, changed: Collection[str] | None) -> list[Part]:
    """The parts of the ``changed`` Services, of all when None."""
    return [part for key, part in tables.parts.items() if changed is None or key in changed]


def shared(tables: Tables, name: str) -> list[str]:
    """The rules of all Services in the shared chains of the table ``name``."""
    parts = tables.parts.values()
    return [_line(chain, rule) for part in parts for chain, rule in (part.filter if name == "filter" else part.nat)]


def own(chain: str, rules: Iterable[Rule], *, large: bool) -> list[str]:
    """The rules of one Service's ``chain``; ``large``: without what is spared in large clusters."""
    return [_line(chain, rule, bare=large and rule.spared) for rule in rules]


def fixed(chains: Mapping[str, Iterable[Rule]]) -> list[str]:
    """The rules of the frame's chains."""
    return [_line(chain, rule) for chain, rules in chains.items() for rule in rules]


def _line(chain: str, rule: Rule, *, bare: bool = False) -> str:
    comment = f' -m comment --comment "{rule.comment}"' if rule.comment and not bare else ""
    return f"-A {chain}{comment} {rule.text}".rstrip()
