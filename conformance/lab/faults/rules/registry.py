"""Which function puts in which fault."""

from __future__ import annotations

from collections.abc import Callable

from conformance.lab.faults.scene import Scene
from conformance.lab.faults.transaction import Transaction
from conformance.spec.faults import Fault

Rewrite = Callable[[Transaction, Scene], Transaction]


class Refused(Exception):
    """The transaction is to fail as if the kernel had not taken it; the message is what nft says."""


REWRITES: dict[Fault, Rewrite] = {}


def puts_in(*faults: Fault) -> Callable[[Rewrite], Rewrite]:
    """Register a rewrite for ``faults``; it may raise `Refused`."""

    def register(rewrite: Rewrite) -> Rewrite:
        for fault in faults:
            REWRITES[fault] = rewrite
        return rewrite

    return register
