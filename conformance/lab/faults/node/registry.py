"""Which function puts in which fault."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from conformance.lab.faults.scene import Scene
from conformance.spec.faults import Fault

Injection = Callable[[Scene], AbstractAsyncContextManager[None]]

INJECTIONS: dict[Fault, Injection] = {}


def puts_in(*faults: Fault) -> Callable[[Injection], Injection]:
    """Register an injection for ``faults``: entered it is in, left it is out again."""

    def register(injection: Injection) -> Injection:
        for fault in faults:
            INJECTIONS[fault] = injection
        return injection

    return register
