"""Which function puts in which fault."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from conformance.spec.faults import Fault

Function = TypeVar("Function", bound=Callable[..., Any])

INJECTIONS: dict[Fault, Callable[..., Any]] = {}


def puts_in(*faults: Fault) -> Callable[[Function], Function]:
    """Register the function that behaves wrongly while one of ``faults`` is on; it asks `Switches` itself."""

    def register(function: Function) -> Function:
        for fault in faults:
            INJECTIONS[fault] = function
        return function

    return register
