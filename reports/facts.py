"""Facts as a person reads them: a table, properties of a report, and the page that lists them all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from rich.table import Table
from rich.text import Text

from conformance.model.addresses import Family
from conformance.model.case import Profile
from conformance.model.effort import Effort, Phase
from conformance.model.facts import Fact, Facts
from conformance.model.kube import Node
from conformance.model.printable import printable, short

MOST_NAMES = 6
"""Of nodes that share a value: who needs them all takes ``--json``."""
MOST_VALUES = 8

_HEAD = """\
# Facts

<!-- Written by `nftconform docs`. -->

What the kit learns of a cluster before it asks anything, each with where it was learned: `nftconform facts` prints
them, and reports carry them as properties. A fact that cannot be learned is *unknown*, with the reason, and is never
guessed: where a permission would help, the reason names it.

`--fact name=value` (with `facts`, `preflight`, `plan` and `run`) says one that the kit cannot learn, or has learned
wrongly, and nothing that is learned later replaces it. Lists have commas (`--fact families=IPv4,IPv6`), what holds or
does not is `true` or `false`, and a fact of each node names them (`--fact nft_versions=node-a=1.0.9,node-b=1.1.3`).

| fact | what it asks | learned from |
| --- | --- | --- |
"""
_GRANTS = """
## Permissions

All of these are to read. Only `list nodes` is required for a run; each other one makes the facts behind it known, and
`nftconform facts` needs none. `nftconform rbac` prints them with those of a run. Where the
DaemonSets and Deployments of all namespaces may not be listed, those of kube-system are.

| permission | facts |
| --- | --- |
"""


@dataclass(frozen=True, slots=True)
class Line:
    """A fact on the page that lists them."""

    fact: str
    asks: str
    learned: str
    grants: tuple[str, ...]


def value_of(fact: Fact[Any]) -> str:
    """The value in words, ``unknown`` without one."""
    return "unknown" if fact.value is None else printable(_words(fact.value))


def properties(facts: Facts) -> dict[str, str]:
    """Every fact with its source, as ``fact.<name>``."""
    return {f"fact.{name}": f"{value_of(fact)} ({short(fact.source, 600)})" for name, fact in facts.items()}


def described(facts: Facts, nodes: Sequence[str], families: Iterable[Family], profile: Profile) -> dict[str, str]:
    """What a report's reader wants to see first; ``nodes`` are those that were used, the first in the roles a, b, c."""
    mode = facts.proxy_mode.value
    return {
        "kubernetes": facts.version.value or f"unknown ({facts.version.source})",
        "proxy mode": mode.value if mode else f"unknown ({facts.proxy_mode.source})",
        "pod network": facts.cni.value or f"unknown ({facts.cni.source})",
        "nodes": f"{', '.join(nodes)} of {len(facts.nodes.otherwise(()))}",
        "roles": ", ".join(f"{role} = {node}" for role, node in zip("abc", nodes, strict=False)),
        "families": ", ".join(f.value for f in families),
        "profile": profile.value,
    }


def spent(effort: Effort) -> dict[str, str]:
    """Where the time of a run went, the longest first, and on how much work; empty where it does not say."""
    if not effort.processes:
        return {}
    at_work = {"of it at work": _by_phase(effort.busy)} if effort.busy else {}  # older runs did not count it
    return {
        "time": _by_phase(effort.phases),
        **at_work,
        "work": f"{effort.dials} dials, {effort.requests} requests to the API server, {effort.streams} exec streams",
        "the kit itself": f"{effort.cpu:.1f} s of processor time in {effort.processes} processes, "
        f"the largest of {effort.peak:.0f} MiB",
    }


def _by_phase(spent: Mapping[Phase, float]) -> str:
    phases = sorted(spent.items(), key=lambda one: -one[1])
    return ", ".join(f"{phase.value} {seconds:.1f} s" for phase, seconds in phases if seconds >= 0.05)


def table(facts: Facts) -> Table:
    """Fact, value, where it was learned."""
    shown = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("fact", "value", "learned from"):
        shown.add_column(column, overflow="fold", no_wrap=column == "fact")
    for name, fact in facts.items():
        value = Text(value_of(fact), style="" if fact.known else "yellow")
        shown.add_row(name, value, Text(short(fact.source, 600), style="dim"))
    return shown


def as_json(facts: Facts) -> str:
    """Every fact with ``value`` (null when unknown) and ``source``, which then says why."""
    return json.dumps(json.loads(facts.to_json()), indent=2)


def page(lines: Iterable[Line]) -> str:
    """docs/facts.md."""
    every = list(lines)
    rows = "".join(f"| `{line.fact}` | {line.asks} | {line.learned} |\n" for line in every)
    grants = dict.fromkeys(grant for line in every for grant in line.grants)
    needed = {grant: ", ".join(f"`{line.fact}`" for line in every if grant in line.grants) for grant in grants}
    return _HEAD + rows + _GRANTS + "".join(f"| `{grant}` | {facts} |\n" for grant, facts in needed.items())


def _words(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, Node):
        return value.name
    if isinstance(value, Mapping):
        return _by_value(value)
    if isinstance(value, tuple):
        return _some([_words(one) for one in value], MOST_VALUES) or "none"
    return str(value)


def _by_value(by_node: Mapping[str, object]) -> str:
    """One value alone where all nodes share it; else each with its nodes."""
    nodes: dict[str, list[str]] = {}
    for node, value in by_node.items():
        nodes.setdefault(_words(value), []).append(node)
    if len(nodes) == 1 and len(by_node) > 1:
        return f"{next(iter(nodes))} on all {len(by_node)}"
    return _some([f"{value} on {_some(those, MOST_NAMES)}" for value, those in nodes.items()], MOST_VALUES, "; ")


def _some(words: list[str], most: int, between: str = ", ") -> str:
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return between.join(words[:most]) + more
