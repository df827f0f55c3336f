"""From ``nft -j list table ip kube-proxy`` (or ``list ruleset``) to tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from conformance.audit import expressions
from conformance.audit.stream import MalformedRuleset, objects
from conformance.audit.table import NAME, Chain, Container, Element, Hook, Table
from conformance.model.addresses import Family

_FAMILIES = {"ip": Family.IPV4, "ip6": Family.IPV6}


def read_tables(pieces: Iterable[str]) -> dict[Family, Table]:
    """kube-proxy's tables in what nft printed, in ``pieces`` of any length; other tables are passed over.

    `MalformedRuleset` when the text is cut short or none of nft's. An expression that the reader does not know is kept
    as such: the audit calls it foreign.
    """
    found: dict[Family, Table] = {}
    for plain in objects(pieces):
        if not isinstance(plain, Mapping) or len(plain) != 1:
            raise MalformedRuleset("its array holds something that is no object of nft's")
        ((kind, fields),) = plain.items()
        if kind not in {"table", "chain", "rule", "set", "map"}:
            continue
        try:
            _take(found, kind, fields)
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as fault:
            raise MalformedRuleset(f"one of its {kind}s lacks or garbles {fault}") from None
    return found


def _take(found: dict[Family, Table], kind: str, plain: Mapping[str, Any]) -> None:
    family = _FAMILIES.get(plain["family"])
    if family is None or plain["name" if kind == "table" else "table"] != NAME:
        return
    table = found.setdefault(family, Table(family))
    match kind:
        case "table":
            table.dormant = "dormant" in expressions.words(plain.get("flags"))
        case "chain":
            name = str(plain["name"])
            table.chains[name] = Chain(name, _hook(plain), table.chains[name].rules if name in table.chains else [])
        case "rule":
            name = str(plain["chain"])
            table.chains.setdefault(name, Chain(name)).rules.append(expressions.rule(plain["expr"]))
        case _:
            container = _container(plain, is_map=kind == "map")
            table.containers[container.name] = container


def _hook(plain: Mapping[str, Any]) -> Hook | None:
    if "hook" not in plain:
        return None
    return Hook(str(plain["type"]), str(plain["hook"]), int(plain["prio"]), str(plain.get("policy", "accept")))


def _container(plain: Mapping[str, Any], *, is_map: bool) -> Container:
    kind = plain["type"]
    made = Container(
        name=str(plain["name"]),
        type=tuple(map(str, kind)) if isinstance(kind, list) else (str(kind),),
        is_map=is_map,
        timeout=plain.get("timeout"),
        size=plain.get("size"),
    )
    if made.timeout is None:
        for each in plain.get("elem") or ():
            _add(made, each)
    return made


def _add(container: Container, plain: Any) -> None:  # noqa: ANN401
    key, verdict = plain if container.is_map else (plain, None)
    comment = ""
    if isinstance(key, Mapping) and "elem" in key:
        comment, key = str(key["elem"].get("comment", "")), key["elem"]["val"]
    element = Element(expressions.key(key), expressions.verdict(verdict), comment)
    if element.key in container.elements:
        container.repeated.append(element.key)
    container.elements[element.key] = element
