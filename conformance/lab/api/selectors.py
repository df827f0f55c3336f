"""Label and field selectors: what a request's ``labelSelector`` and ``fieldSelector`` mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from conformance.lab.api.resources import Resource
from conformance.lab.api.status import bad_request

Json = dict[str, Any]
Labels = Mapping[str, str]
Matcher = Callable[[Labels], bool]

_TERM = re.compile(
    r"""\s*(?:
        (?P<absent>!)\s*(?P<absent_key>[\w./-]+)
      | (?P<set_key>[\w./-]+)\s+(?P<set_op>in|notin)\s*\((?P<values>[^()]*)\)
      | (?P<key>[\w./-]+)\s*(?P<op>==|!=|=)\s*(?P<value>[\w.-]*)
      | (?P<number_key>[\w./-]+)\s*(?P<number_op>[<>])\s*(?P<number>\d+)
      | (?P<present>[\w./-]+)
    )\s*(?:,|$)""",
    re.VERBOSE,
)


def _requirement(term: re.Match[str]) -> Matcher:
    part = term.groupdict()
    if part["absent"]:
        key = part["absent_key"]
        return lambda labels: key not in labels
    if part["set_op"]:
        values = frozenset(each.strip() for each in part["values"].split(","))
        key = part["set_key"]
        if part["set_op"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: key not in labels or labels[key] not in values
    if part["op"]:
        key, value = part["key"], part["value"]
        if part["op"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if part["number_op"]:
        key, bound, above = part["number_key"], int(part["number"]), part["number_op"] == ">"
        return lambda labels: _compare(labels.get(key), bound, above)
    key = part["present"]
    return lambda labels: key in labels


def _compare(value: str | None, bound: int, above: bool) -> bool:
    if value is None or not value.lstrip("-").isdigit():
        return False
    return int(value) > bound if above else int(value) < bound


@lru_cache(maxsize=1024)
def labels(selector: str) -> Matcher | None:
    """The predicate of a label selector, None for the empty one; 400 where it cannot be parsed."""
    if not selector.strip():
        return None
    terms: list[Matcher] = []
    position = 0
    while position < len(selector):
        term = _TERM.match(selector, position)
        if term is None:
            raise bad_request(
                f"unable to parse requirement: found '{selector[position:].strip()}', expected: a label requirement"
            )
        terms.append(_requirement(term))
        position = term.end()
    return lambda having: all(matches(having) for matches in terms)


def _at(*path: str) -> Callable[[Json], str]:
    def read(obj: Json) -> str:
        value: Any = obj
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, bool):
            return "true" if value else "false"
        return "" if value is None else str(value)

    return read


_COMMON = {"metadata.name": _at("metadata", "name"), "metadata.namespace": _at("metadata", "namespace")}
_EVENT = {
    f"{alias}.{part}": _at("involvedObject", part)
    for alias in ("involvedObject", "regarding")
    for part in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
}
_FIELDS: dict[tuple[str, str], dict[str, Callable[[Json], str]]] = {
    ("", "pods"): {
        "spec.nodeName": _at("spec", "nodeName"),
        "spec.restartPolicy": _at("spec", "restartPolicy"),
        "spec.schedulerName": _at("spec", "schedulerName"),
        "spec.serviceAccountName": _at("spec", "serviceAccountName"),
        "spec.hostNetwork": lambda obj: "true" if obj.get("spec", {}).get("hostNetwork") else "false",
        "status.phase": _at("status", "phase"),
        "status.podIP": _at("status", "podIP"),
        "status.podIPs": _at("status", "podIP"),
        "status.nominatedNodeName": _at("status", "nominatedNodeName"),
    },
    ("", "nodes"): {"spec.unschedulable": lambda obj: "true" if obj.get("spec", {}).get("unschedulable") else "false"},
    ("", "namespaces"): {"status.phase": _at("status", "phase"), "name": _at("metadata", "name")},
    ("", "secrets"): {"type": _at("type")},
    ("", "services"): {"spec.clusterIP": _at("spec", "clusterIP"), "spec.type": _at("spec", "type")},
    ("apps", "replicasets"): {"status.replicas": _at("status", "replicas")},
    ("", "events"): {
        **_EVENT,
        "reason": _at("reason"),
        "reportingComponent": lambda obj: obj.get("reportingComponent") or obj.get("source", {}).get("component", ""),
        "source": lambda obj: obj.get("source", {}).get("component") or obj.get("reportingComponent", ""),
        "type": _at("type"),
    },
}


def fields(resource: Resource, selector: str) -> Callable[[Json], bool] | None:
    """The predicate of a field selector, None for the empty one; 400 where a field cannot be selected by."""
    if not selector.strip():
        return None
    known = _COMMON | _FIELDS.get(resource.key, {})
    terms: list[tuple[Callable[[Json], str], str, bool]] = []
    for term in selector.split(","):
        if not term.strip():
            continue
        parsed = re.fullmatch(r"\s*([^=!\s]+)\s*(==|!=|=)\s*(.*?)\s*", term)
        if parsed is None:
            raise bad_request(f"invalid selector: '{selector}'; can't understand '{term}'")
        path, operator, value = parsed.groups()
        if path not in known:
            raise bad_request(
                f'Unable to find "{resource.group}/{resource.version}, Resource={resource.plural}" that match label '
                f'selector "", field selector "{selector}": field label not supported: {path}'
            )
        terms.append((known[path], value, operator == "!="))
    return lambda obj: all((read(obj) == value) is not unequal for read, value, unequal in terms)


def named(selector: str) -> str | None:
    """The one name that a field selector asks for, if it does."""
    found = re.search(r"(?:^|,)\s*metadata\.name==?([^,!=]+)", selector)
    return found.group(1).strip() if found else None
