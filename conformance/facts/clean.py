"""What a cluster returned becomes short, printable text before anybody else sees it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from conformance.model.facts import Fact, Facts
from conformance.model.printable import short

MOST_OF_A_REASON = 600


def cleaned(facts: Facts) -> Facts:
    """The same facts; what was longer, or not printable, is cut and escaped."""
    return Facts(
        **{name: Fact(_clean(fact.value), short(fact.source, MOST_OF_A_REASON)) for name, fact in facts.items()}
    )


def _clean(value: Any) -> Any:  # noqa: ANN401  whatever a fact may be
    if isinstance(value, str):
        return short(value)
    if isinstance(value, tuple):
        return tuple(_clean(one) for one in value)
    if isinstance(value, Mapping):
        return {_clean(key): _clean(one) for key, one in value.items()}
    if is_dataclass(value) and not isinstance(value, type):
        return type(value)(**{f.name: _clean(getattr(value, f.name)) for f in fields(value)})
    return value
