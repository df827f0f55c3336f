"""Which function puts in which fault: in what the engine sees, or in what it writes."""

from __future__ import annotations

from collections.abc import Callable

from conformance.lab.policy.view import World
from conformance.spec.faults import Fault

Seeing = Callable[[World], World]
Writing = Callable[[str], str]

SEEING: dict[Fault, Seeing] = {}
WRITING: dict[Fault, Writing] = {}


def mis_sees(fault: Fault) -> Callable[[Seeing], Seeing]:
    """Register what a faulty engine takes the cluster for."""

    def register(function: Seeing) -> Seeing:
        SEEING[fault] = function
        return function

    return register


def mis_writes(fault: Fault) -> Callable[[Writing], Writing]:
    """Register what a faulty engine makes of the transaction that it should write."""

    def register(function: Writing) -> Writing:
        WRITING[fault] = function
        return function

    return register
