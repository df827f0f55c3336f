"""Random mutants of kube-proxy's transactions: drawn from what a whole run wrote, put in one by one, and hunted."""

from __future__ import annotations

import random
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.errors import KitError, LabError
from conformance.judge.kills import Told
from conformance.judge.mutants import Fate, Mutant, equivalences, weighed
from conformance.lab.addresses import AddressPlan
from conformance.lab.faults.board import MUTANT, RECORD, Board, Switch
from conformance.lab.faults.mutation import Kind, Mutation, before, partner, shape, tokens
from conformance.lab.faults.transaction import Command, Transaction, parse
from conformance.model.verdict import Status
from conformance.selftest.trial import ask, fresh_lab, switch_on

Corpus = Mapping[str, Sequence[Transaction]]
"""By node, of each family's table in order."""

_SHORT = ("--trust", "1", "--patience", "8", "--evidence", "none")
"""Options of a run with few Services, of which proxies know soon or never."""
_PATIENCE = 15.0
"""A proxy whose first transaction nft refuses is not waited for much longer than one that starts."""
_NODES = tuple(node.name for node in AddressPlan().nodes)
_AHEAD = 5
"""Mutants under way or waiting for each lab: one that lives takes five times as long as the others."""
_ALIKE = 6
"""How many commands of one shape a mutant's may be among."""
_FAMILIES = ("ip", "ip6")
_OF_THE_RUN = re.compile(r"\bnftconform(?:-[0-9a-f]{6})?/([^/:\s]+)")


@dataclass(frozen=True, slots=True)
class Draft:
    """A mutation, on one node or (empty) on all; ``service`` names the run's Service that it is about, if any."""

    number: int
    mutation: Mutation
    node: str
    service: str


def record(output: Path) -> Corpus:
    """Every transaction of a whole run without faults; ``KitError``."""
    with fresh_lab() as directory:
        switch_on(directory, Switch(RECORD))
        ask(directory, (), output, threading.Event())
        board = Board(directory.faults)
        return {
            node: [one for f in _FAMILIES for one in _until_cleanup(list(map(parse, board.recorded(node, f))))]
            for node in _NODES
        }


def _until_cleanup(transactions: list[Transaction]) -> list[Transaction]:
    """Without the end, in which the run takes its Services away and asks nobody any more."""
    adding = [i for i, t in enumerate(transactions) if any(c.verb == "add" and c.kind != "chain" for c in t)]
    return transactions[: adding[-1] + 1] if adding else []


def draw(corpus: Corpus, number: int, rng: random.Random) -> Draft:
    """A mutant: its kind, then the part of the table, then the command, each alike likely; ``IndexError`` for none."""
    node = rng.choice(sorted(corpus))
    for kind in rng.sample(list(Kind), len(Kind)):
        if parts := _parts(kind, corpus[node]):
            break
    i, j = rng.choice(parts[rng.choice(sorted(parts))])
    command = corpus[node][i][j]
    mine = shape(command)
    alike: dict[str, bool] = {}
    for transaction in corpus[node]:
        for at, other in enumerate(transaction):
            if shape(other) == mine:
                alike[other.text] = alike.get(other.text, False) or _fits(kind, transaction, at)
    token = rng.randrange(tokens(command, kind)) if kind in (Kind.CHANGE_NUMBER, Kind.CHANGE_ADDRESS) else 0
    service = _OF_THE_RUN.search(mine)
    where = rng.choice((node, ""))
    # Not the very one that was drawn: the hundredth of its kind may never come by where fewer Services are.
    ordinal = rng.choice([n for n, fits in enumerate(alike.values()) if fits][:_ALIKE])
    mutation = Mutation(kind, mine, ordinal, token)
    return Draft(number, mutation, where, service[1] if service else "")


def _parts(kind: Kind, transactions: Sequence[Transaction]) -> Mapping[str, Sequence[tuple[int, int]]]:
    """By part of the table, where the commands are to which the mutation can be done."""
    parts: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for i, transaction in enumerate(transactions):
        for j, command in enumerate(transaction):
            if _fits(kind, transaction, j):
                parts[_part(command)].append((i, j))
    return parts


def _fits(kind: Kind, transaction: Transaction, index: int) -> bool:
    command = transaction[index]
    what = (command.verb, command.kind)
    match kind:
        case Kind.DROP_ELEMENT:
            return what == ("add", "element")
        case Kind.SWAP_VERDICTS:
            return what == ("add", "element") and bool(command.value) and partner(transaction, index) is not None
        case Kind.CHANGE_NUMBER | Kind.CHANGE_ADDRESS:
            return command.verb == "add" and tokens(command, kind) > 0
        case Kind.REMOVE_RULE:
            return what == ("add", "rule")
        case Kind.REORDER_RULE:
            return what == ("add", "rule") and before(transaction, index) is not None
        case Kind.LOSE_TRANSACTION:
            # Not those that a proxy starts with: the table that it finds in the lab has all of that already.
            return command.verb == "add" and _OF_THE_RUN.search(command.text) is not None


def _part(command: Command) -> str:
    """The kind of thing in the table: a base chain or map by its name, a Service's by what comes before its own."""
    return f"{command.kind} {command.family} {re.sub(r'-[A-Z2-7]{8}-.*', '', command.name)}"


@dataclass(frozen=True, slots=True)
class Hunt:
    """``near`` names the cells likeliest to notice what happens to a Service (empty: to the table as a whole)."""

    corpus: Corpus
    near: Callable[[str], Sequence[str]]
    output: Path
    labs: int

    def mutants(self, count: int, seed: int) -> Iterator[Mutant]:
        """The fates of mutants, in the order in which they are drawn, until ``count`` have come to be hunted."""
        rng, stop, hunted = random.Random(seed), threading.Event(), 0
        with ThreadPoolExecutor(self.labs) as pool:
            number, under_way = 0, list[Future[Mutant]]()
            try:
                while hunted < count:
                    while len(under_way) < min(_AHEAD * self.labs, count - hunted):
                        under_way.append(pool.submit(self._hunt, draw(self.corpus, number, rng), stop))
                        number += 1
                    mutant = weighed(under_way.pop(0).result(), equivalences())
                    hunted += mutant.fate in (Fate.KILLED, Fate.SURVIVED)
                    yield mutant
            finally:
                stop.set()
                for future in under_way:
                    future.cancel()

    def _hunt(self, draft: Draft, stop: threading.Event) -> Mutant:
        """First with the cells that are near, then, if it lives, with everything."""
        output, began = self.output / f"mutant-{draft.number}", time.monotonic()
        mutant = self._ask(draft, self.near(draft.service), output, stop)
        if mutant.fate is Fate.SURVIVED and not stop.is_set():
            mutant = self._ask(draft, (), output, stop)
        return replace(mutant, seconds=time.monotonic() - began)

    def _ask(self, draft: Draft, cases: Sequence[str], output: Path, stop: threading.Event) -> Mutant:
        kind, switch = draft.mutation.kind.value, Switch(MUTANT, draft.node, detail=draft.mutation.to_json())
        told: Sequence[Told] = ()
        why = ""
        try:
            with fresh_lab() as directory:
                try:
                    switch_on(directory, switch, patience=_PATIENCE)
                    told = ask(directory, cases, output, stop, *_SHORT)
                except LabError as error:
                    why = error.cause
                board = Board(directory.faults)
                notes = [board.recall(node, family, MUTANT) for node in _NODES for family in _FAMILIES]
        except KitError as error:
            return Mutant(draft.number, kind, draft.node, Fate.LOST, reason=error.cause)
        hit = next((note for note in notes if note.get("hits")), {})
        by = tuple(one.cell for one in told if one.status is Status.FAILED)
        fate = _fate(notes, came=bool(hit), lost=bool(why), failed=bool(by))
        was, became = hit.get("before", draft.mutation.shape), hit.get("after", "")
        return Mutant(draft.number, kind, draft.node, fate, was, became, by, why)


def _fate(notes: Sequence[Mapping[str, object]], *, came: bool, lost: bool, failed: bool) -> Fate:
    if any(note.get("refused") for note in notes):
        return Fate.STILLBORN
    if lost:
        return Fate.LOST
    if not came:
        return Fate.NEVER_CAME
    return Fate.KILLED if failed else Fate.SURVIVED
