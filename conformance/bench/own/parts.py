"""The kit's pure parts on a generated cluster: facts, plan, oracle and judge, the audit of a node, reports."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from conformance.audit import audit_node, read_tables
from conformance.bench.own.generated import Size, objects, state
from conformance.bench.own.reported import judged, written
from conformance.errors import EnvironmentFault
from conformance.facts.ask import Api
from conformance.facts.gather import gather
from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.desired import desired
from conformance.lab.proxy.transaction import Existing, full
from conformance.model.addresses import Family
from conformance.model.cluster import ClusterState
from conformance.model.kube import Node
from conformance.plan.cells import cells_of_case, plan
from conformance.plan.landscape import Landscape, cast
from fixtures.catalogue import areas

PIECE = 1 << 16
LINES = 500
"""Of one transaction: of an ordinary user the kernel takes no more at once than a socket's buffer holds."""
LOAD = 'for part in "$0"/*; do nft -f "$part"; done; nft -j list ruleset'
Work = Callable[[], object]


def works(size: Size, asked: Callable[[list[dict[str, object]]], Api]) -> Mapping[str, Work]:
    """What is to be weighed, by name; all that it needs is there already.

    ``asked`` makes an API of objects. Raises `EnvironmentFault` where nft cannot make a table for the audit.
    """
    api, known = asked(objects(size)), state(size)
    here, facts = next(iter(known.nodes)), gather(api)
    listing, cell = listed(known, here), next(cells_of_case(areas()[0].cases[0], areas()[0].name))
    results = judged(known, cell)
    return {
        "facts": lambda: gather(api),
        "plan": lambda: planned(facts.nodes.otherwise(())),
        "judge": lambda: judged(state(size), cell),  # a new state: what it looks up is made anew
        "audit": lambda: audit_node(read_tables(pieces(listing)), state(size), here),
        "report": lambda: written(results, facts),
    }


def planned(nodes: tuple[Node, ...]) -> int:
    """All cells of the catalogue on a cluster of ``nodes``; how many they are."""
    roles = cast(nodes)
    zones = {node.name: node.zone for node in nodes}
    there = Landscape(roles, tuple(Family), zones=tuple(zones[name] for name in roles))
    return sum(1 for area in areas() for _ in plan(area.cases, area.matrices, area.name, there))


def listed(known: ClusterState, name: str) -> str:
    """What nft prints of the table that the lab's reference proxy makes on a node, in a namespace of its own."""
    here = known.nodes[name]
    whole = desired(
        known.services.values(),
        known.slices,
        here,
        Configuration(cluster_cidrs=known.proxy.cluster_cidrs),
        known.proxy.service_cidrs,
        family=Family.IPV4,
        interface_addresses=here.addresses,
    )
    lines = full(whole, Existing(), rehook=True).text.splitlines(keepends=True)
    if shutil.which("nft") is None or shutil.which("unshare") is None:
        raise EnvironmentFault("The audit's table takes nft and unshare.", "Install nftables and util-linux.")
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    with TemporaryDirectory() as folder:
        for number, first in enumerate(range(0, len(lines), LINES)):
            (Path(folder) / f"{number:06}").write_text("".join(lines[first : first + LINES]))
        words = ["unshare", *user, "--net", "sh", "-ec", LOAD, folder]
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise EnvironmentFault(
            f"nft cannot make the audit's table: {done.stderr.strip()[:300]}.", "It takes user namespaces, as a lab."
        )
    return done.stdout


def pieces(text: str) -> Iterable[str]:
    """As it would come from a node."""
    return (text[start : start + PIECE] for start in range(0, len(text), PIECE))
