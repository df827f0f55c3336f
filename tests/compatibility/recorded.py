"""Runs of some thirty cases each, packed, on labs with a fault or on a network of `lab cni`; `healthy` has neither."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from conformance.results.run import Run
from reports.results_file import load

FOLDER = Path(__file__).parents[1] / "data" / "causes"


@cache
def recorded(name: str) -> Run:
    return load(FOLDER / f"{name}.jsonl.gz")


def names() -> list[str]:
    return sorted(path.name.removesuffix(".jsonl.gz") for path in FOLDER.iterdir())
