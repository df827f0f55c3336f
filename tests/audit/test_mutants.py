"""Random mutants of the transaction that writes the recorded table, in a real kernel: the audit finds them."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Iterator

import pytest

from conformance.audit import audit, read_tables
from conformance.audit.names import owner
from conformance.lab.faults.board import MUTANT, Switch
from conformance.lab.faults.mutation import Kind, mutate
from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Transaction, parse, render
from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.desired import desired
from conformance.lab.proxy.transaction import Existing, delete_table, full
from conformance.model.addresses import Family
from conformance.selftest.mutants import draw
from tests.audit.recorded import state
from tests.lab.proxy.conftest import Netns, namespace

NODE, MUTANTS, SEED = "n1", 40, 20261127
AFFINITY = "saddr @affinity-"


@pytest.fixture(scope="module")
def kernel() -> Iterator[Netns]:
    with namespace() as made:
        yield made


def written(family: Family) -> Transaction:
    """What the reference proxy writes for the recorded objects: as the real one's table, by a test of its own."""
    cluster = state()
    here = cluster.nodes[NODE]
    whole = desired(
        cluster.services.values(),
        cluster.slices,
        here,
        Configuration(cluster_cidrs=cluster.proxy.cluster_cidrs),
        cluster.proxy.service_cidrs,
        family=family,
        interface_addresses=(*here.addresses, *here.local),
    )
    return parse(full(whole, Existing(), rehook=True).text)


def equivalent(kind: Kind, before: str, after: str) -> bool:
    """Whether no packet can tell: affinity rules change places, or a rule goes that ends where the next one does."""
    if kind is Kind.REORDER_RULE:
        return AFFINITY in before and AFFINITY in after
    alone = {"affnpl-one", "extl-one", "lbl-one", "npl-one", "udpl-one"}  # all their endpoints are on this node
    service = owner(before.split()[4]).partition("/")[2].partition(":")[0]
    return kind is Kind.REMOVE_RULE and "fib saddr type local goto" in before and service in alone


def test_random_mutants_are_found(kernel: Netns) -> None:
    rng, found, refused = random.Random(SEED), 0, 0
    transactions = {family: written(family) for family in Family}
    survivors = []
    for number in range(MUTANTS):
        family = rng.choice(list(Family))
        draft = draw({NODE: [transactions[family]]}, number, rng)
        if draft.mutation.kind is Kind.LOSE_TRANSACTION:
            continue  # there would be no table at all
        scene = Scene(Switch(MUTANT, detail=draft.mutation.to_json()), NODE)
        text = render(mutate(transactions[family], scene))
        table = f"{'ip' if family is Family.IPV4 else 'ip6'} kube-proxy"
        kernel.nft(delete_table(table))
        done = subprocess.run(kernel.command("nft", "-f", "-"), input=text, text=True, capture_output=True, check=False)
        if done.returncode:
            refused += 1
            continue
        now = read_tables([kernel.run("nft", "-j", "list", "table", *table.split())])[family]
        if audit(now, state(), NODE):
            found += 1
        elif not equivalent(draft.mutation.kind, scene.memory["before"], scene.memory["after"]):
            survivors.append((draft.mutation.kind, scene.memory["before"], scene.memory["after"]))
    print(f"seed {SEED}: {found} found, {refused} refused by nft, {len(survivors)} not found")
    assert survivors == []
    assert found > MUTANTS // 2
