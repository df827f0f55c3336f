"""JSON values: copied, and cleaned of nulls as Go's decoder would drop them."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]


def copied(value: Any) -> Any:  # noqa: ANN401  a JSON value has no narrower type
    """A deep copy of a JSON value (several times faster than copy.deepcopy)."""
    if isinstance(value, dict):
        return {key: copied(each) for key, each in value.items()}
    if isinstance(value, list):
        return [copied(each) for each in value]
    return value


def clean(value: Any) -> Any:  # noqa: ANN401
    """The value without object members that are null."""
    if isinstance(value, dict):
        return {key: clean(each) for key, each in value.items() if each is not None}
    if isinstance(value, list):
        return [clean(each) for each in value]
    return value
