"""Label selectors and node selector terms (pure)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]


def matches_map(selector: Mapping[str, str] | None, labels: Mapping[str, str] | None) -> bool:
    """Whether ``labels`` have every pair of ``selector``; an empty or absent selector matches nothing."""
    having = labels or {}
    return bool(selector) and all(having.get(k) == v for k, v in (selector or {}).items())


def matches(selector: Json | None, labels: Mapping[str, str] | None) -> bool:
    """Whether a ``LabelSelector`` matches; an absent one matches nothing, an empty one everything."""
    if selector is None:
        return False
    having = labels or {}
    wanted = selector.get("matchLabels") or {}
    return all(having.get(k) == v for k, v in wanted.items()) and all(
        requirement(e, having) for e in selector.get("matchExpressions") or ()
    )


def node_term(term: Json, node: Json) -> bool:
    """Whether a ``NodeSelectorTerm`` matches; a term without requirements matches nothing."""
    expressions, fields = term.get("matchExpressions") or (), term.get("matchFields") or ()
    labels, named = node["metadata"].get("labels") or {}, {"metadata.name": node["metadata"]["name"]}
    return bool(expressions or fields) and (
        all(requirement(e, labels) for e in expressions) and all(requirement(f, named) for f in fields)
    )


def requirement(expression: Json, labels: Mapping[str, str]) -> bool:
    """Whether one ``key operator values`` holds; an operator we do not know holds never."""
    value, values = labels.get(expression["key"]), expression.get("values") or []
    match expression["operator"]:
        case "In":
            return value is not None and value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt":
            return _number(value) > _number(values[0]) if value is not None and values else False
        case "Lt":
            return _number(value) < _number(values[0]) if value is not None and values else False
        case _:
            return False


def _number(text: str) -> float:
    return float(int(text)) if text.lstrip("-").isdigit() else float("nan")
