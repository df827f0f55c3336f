"""The recorded tables of a real kube-proxy 1.36.2 and the objects that it saw, and ways to edit what nft printed."""

from __future__ import annotations

import copy
import functools
import gzip
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.audit import Finding, Table, audit, read_tables
from conformance.cli.scenario import read_scenario
from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState

DATA = Path(__file__).parents[1] / "data"
NODES = ("n1", "n2", "n3")
Json = dict[str, Any]


def unpack(into: Path, scenario: Path = DATA / "groundtruth" / "nftables") -> None:
    """The recorded topology and objects as files."""
    for name in ("topology.json", "objects.json"):
        (into / name).write_bytes(gzip.decompress((scenario / f"{name}.gz").read_bytes()))


@functools.cache
def state() -> ClusterState:
    """The cluster when the tables were listed."""
    with tempfile.TemporaryDirectory() as folder:
        unpack(Path(folder))
        return read_scenario(Path(folder)).state


@functools.cache
def text(node: str) -> str:
    """What ``nft -j list ruleset`` printed on ``node``."""
    return gzip.decompress((DATA / "rulesets" / f"ruleset-{node}.json.gz").read_bytes()).decode()


def table(node: str, family: Family) -> Table:
    """A fresh copy of one recorded table."""
    return read_tables([text(node)])[family]


@dataclass
class Listing:
    """nft's objects of one node, to be edited: chains, rules and containers of one family, by name."""

    node: str
    objects: list[Json]
    family: str = "ip"

    @classmethod
    def of(cls, node: str, family: str = "ip") -> Listing:
        """The recorded listing of ``node``."""
        return cls(node, json.loads(text(node))["nftables"], family)

    def rules(self, chain: str) -> list[Json]:
        """The rules of the chain whose name ends in ``chain`` (``external-*default/np-two/tcp/http``: anywhere)."""
        mine = (o["rule"] for o in self.objects if "rule" in o and o["rule"]["family"] == self.family)
        return [r for r in mine if matches(r["chain"], chain)]

    def one(self, kind: str, name: str) -> Json:
        """The chain, set or map of that name."""
        mine = (o[kind] for o in self.objects if kind in o and o[kind]["family"] == self.family)
        return next(o for o in mine if matches(o["name"], name))

    def elements(self, name: str) -> list[Any]:
        """The elements of the set or map."""
        kind = "map" if any("map" in o and o["map"]["name"] == name for o in self.objects) else "set"
        found: list[Any] = self.one(kind, name)["elem"]
        return found

    def remove(self, plain: Json) -> None:
        """Take a rule, chain, set or map away."""
        self.objects[:] = [o for o in self.objects if next(iter(o.values())) is not plain]

    def add(self, kind: str, **fields: object) -> None:
        """Another object of kube-proxy's table."""
        self.objects.append({kind: {"family": self.family, "table": "kube-proxy", **fields}})

    def swap(self, one: Json, other: Json) -> None:
        """Exchange two rules."""
        one["expr"], other["expr"] = other["expr"], one["expr"]

    def repeat(self, rule: Json) -> None:
        """Put a rule behind itself."""
        index = next(i for i, o in enumerate(self.objects) if o.get("rule") is rule)
        self.objects.insert(index, copy.deepcopy(self.objects[index]))

    def tables(self) -> dict[Family, Table]:
        """What the audit makes of it."""
        return read_tables([json.dumps({"nftables": self.objects})])

    def findings(self, *, strict: bool = False) -> tuple[Finding, ...]:
        """What the audit finds in the edited family."""
        family = Family.IPV4 if self.family == "ip" else Family.IPV6
        return audit(self.tables()[family], state(), self.node, strict=strict)


def matches(name: str, pattern: str) -> bool:
    """Whether ``name`` is ``pattern``, in which ``*`` stands for a hash."""
    front, star, back = pattern.partition("*")
    return name.startswith(front) and name.endswith(back) if star else name == pattern


def tables() -> Iterator[tuple[str, Family]]:
    """All that was recorded."""
    return ((node, family) for node in NODES for family in Family)
