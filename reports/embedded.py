"""The cells of a run as compact JSON, for the script of the page: each text once, numbers in its place.

What passed has its message alone; of the rest the page holds all that ``results.jsonl`` does.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from conformance.model.printable import printable
from conformance.model.result import Result
from conformance.model.source import Source
from conformance.model.verdict import Status
from conformance.results.lines import Evidence, Objects
from conformance.results.run import Run
from reports.marks import MARKS, key_of
from reports.ways import Stage, node_lines, packet, pod_line, stages

JSON = dict[str, Any]
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_ORDER = {mark.key: number for number, mark in enumerate(MARKS)}


class _Texts:
    """Numbers for texts; nothing that is shown is in two places."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __call__(self, text: str) -> int:
        return self._numbers.setdefault(printable(text), len(self._numbers))

    def whole(self, text: str) -> int:
        """Of several lines, which are kept: ``text`` has no other control characters."""
        return self._numbers.setdefault(text, len(self._numbers))

    @property
    def all(self) -> list[str]:
        return list(self._numbers)


def embedded(run: Run) -> JSON:
    """``texts``; ``marks`` by number; ``cells``, a row each, with their texts by number; ``details`` by cell."""
    texts = _Texts()
    yamls = _Yamls(run.objects, texts)
    cells = [_cell(one, texts) for one in run.results]
    details = {
        number: _evidence(run.evidence.get(one.id), one, texts) | _detail(one, texts, yamls, run.header.again)
        for number, one in enumerate(run.results)
        if one.status is not Status.PASSED
    }
    marks = [[mark.key, mark.glyph, mark.tone, mark.meaning] for mark in MARKS]
    return {"marks": marks, "cells": cells, "details": details, "texts": texts.all}


def _cell(one: Result, texts: _Texts) -> list[int]:
    """The order that ``page.js`` reads; the last says whether the cell is one of a matrix."""
    words = (
        *(one.id, one.case, one.area, one.service, one.client, one.destination, one.family, one.protocol),
        *(one.level.value, one.promise, one.message, _variant(one)),
    )
    laid = one.id.startswith(f"{one.case}.{one.service}.{one.destination}.{one.client}.")
    return [_ORDER[key_of(one)], *map(texts, words), int(laid)]


def _variant(one: Result) -> str:
    what = one.variant
    policies = (("internal", what.internal_policy), ("external", what.external_policy))
    words = [what.type, *(f"{name} policy {policy}" for name, policy in policies if policy)]
    words += ["session affinity"] if what.affinity else []
    return ", ".join(w for w in (*words, f"endpoints {', '.join(what.endpoints) or 'none'}") if w)


def _detail(one: Result, texts: _Texts, yamls: _Yamls, options: str) -> JSON:
    """What is empty is left out."""
    told = one.account
    again = f"nftconform run --case {shlex.quote(one.id)} {options}".rstrip()
    rows: JSON = {"sources": [_source(s, texts) for s in one.sources], "evidence": texts(one.evidence)}
    if told:
        rows |= {"asked": texts(told.asked), "expected": texts(told.expected), "observed": texts(told.observed)}
        rows["reasons"] = [[texts(r.text), *_source(r.source, texts)] for r in told.reasons]
        rows["controls"] = [told.before, told.after]
    if one.issue:
        rows["issue"] = [texts(one.issue.link), texts(one.issue.summary), texts(one.issue.expires)]
    return rows | {"again": texts(again), "objects": [yamls(name) for name in one.objects if name in yamls.objects]}


def _evidence(found: Evidence | None, one: Result, texts: _Texts) -> JSON:
    """What ``page.js`` shows behind the account: nodes as blocks of text, ways stage by stage."""
    rows: JSON = {"diverged": texts(one.divergence)} if one.divergence else {}
    if found is None:
        return rows
    ways = [
        [texts(packet(way)), [[texts(s.title), texts(s.rewritten), _rules(s, texts)] for s in stages(way)]]
        for way in found.ways
    ]
    nodes = [[texts(node.node), texts.whole("\n".join(node_lines(node)))] for node in found.nodes]
    return rows | {
        "owed": texts(found.owed),
        "dialled": texts(found.dialled),
        "untraced": texts(found.untraced),
        "pods": texts.whole("\n".join(map(pod_line, found.pods))),
        "nodes": nodes,
        "ways": ways,
        "at": [found.divergence.way, found.divergence.passage],
    }


def _rules(stage: Stage, texts: _Texts) -> list[list[int]]:
    return [[texts(word) for word in words] for words in stage.rules]


def _source(source: Source, texts: _Texts) -> list[int]:
    return [texts(source.text), texts(source.url)]


class _Yamls:
    """Objects as YAML, each written when a cell first names it."""

    def __init__(self, objects: Mapping[str, Objects], texts: _Texts) -> None:
        self.objects = objects
        self._texts = texts
        self._written: dict[str, int] = {}

    def __call__(self, name: str) -> int:
        if name not in self._written:
            self._written[name] = self._texts.whole(as_yaml(self.objects[name].objects))
        return self._written[name]


def as_yaml(objects: Iterable[JSON]) -> str:
    """The objects as one stream, in ASCII: what is not is escaped."""
    # Through JSON, so that what two objects share is written twice rather than as an alias.
    plain = json.loads(json.dumps(list(objects)))
    try:
        return "---\n".join(yaml.dump(one, Dumper=_DUMPER, sort_keys=False) for one in plain)
    except RecursionError:
        return "# nested too deeply to be shown\n"
