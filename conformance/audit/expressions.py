"""From nft's JSON expressions (nft 1.0.6 to 1.1.x) to steps; whatever is not understood becomes `Unknown`."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from conformance.audit.steps import (
    Lookup,
    Mark,
    Masquerade,
    Match,
    Pick,
    Remember,
    Rule,
    Step,
    Translate,
    Unknown,
    Verdict,
)
from conformance.audit.table import Key

Json: TypeAlias = Any  # what nft printed, of which nothing is certain

REFUSAL = "port-unreachable"
# An image without /etc/protocols prints numbers.
_PROTOCOLS = {6: "tcp", 17: "udp", 132: "sctp"}
_ADDRESSES = frozenset({"ip saddr", "ip daddr", "ip6 saddr", "ip6 daddr"})
_BARE = frozenset({"accept", "drop", "return", "continue"})
_SILENT = frozenset({"counter"})
_MARK = "meta mark"


class _Strange(ValueError):
    """An expression that kube-proxy never writes."""


def rule(expressions: object) -> Rule:
    """The steps of one rule, counters left out."""
    if not isinstance(expressions, list):
        return (Unknown(_text(expressions)),)
    return tuple(_step(e) for e in expressions if not (isinstance(e, Mapping) and _SILENT & e.keys()))


def verdict(plain: Json) -> Verdict | None:
    """The verdict in ``plain``, None when it is none."""
    if not isinstance(plain, Mapping) or len(plain) != 1:
        return None
    ((kind, value),) = plain.items()
    if kind in _BARE:
        return Verdict(kind)
    if kind in {"jump", "goto"} and isinstance(value, Mapping):
        return Verdict(kind, str(value.get("target", "")))
    if kind == "reject":
        said = value if isinstance(value, Mapping) else {}
        own = str(said.get("type") or "icmp").startswith("icmp")
        code = str(said.get("expr") or REFUSAL)
        return Verdict(kind, code if own else f"{said.get('type')} {said.get('expr') or ''}".strip())
    return None


def key(plain: Json) -> Key:
    """The key of an element: its parts, protocols by name, addresses as nft writes them."""
    if isinstance(plain, Mapping):
        if isinstance(plain.get("concat"), list):
            *front, last = plain["concat"] or [""]
            return (*(_part(p, protocol=True) for p in front), _part(last))  # the last part is a port, never a protocol
        return (_value(plain),)
    return (_part(plain),)


def _step(plain: Json) -> Step:
    try:
        return _known(plain) or Unknown(_text(plain))
    except (AttributeError, LookupError, TypeError, ValueError, ArithmeticError):  # of a shape that nft does not print
        return Unknown(_text(plain))


def _known(plain: Json) -> Step | None:
    final = verdict(plain)
    if final or not isinstance(plain, Mapping) or len(plain) != 1:
        return final
    ((kind, value),) = plain.items()
    match kind:
        case "match":
            return _match(value)
        case "vmap":
            return _pick_or_look(value)
        case "mangle":
            return _mark(value)
        case "dnat":
            return _translate(value)
        case "masquerade":
            return Masquerade(words((value or {}).get("flags")))
        case "set":
            return Remember(str(value["op"]), _container(value["set"]), _subject(_bare(value["elem"])))
    return None


def _match(plain: Json) -> Match:
    subject, operator = _subject(plain["left"]), plain["op"]
    if operator not in {"==", "!=", "in"}:
        raise _Strange(operator)
    return Match(subject, _values(subject, plain["right"]), operator == "!=")


def _values(subject: str, plain: Json) -> frozenset[str]:
    listed = plain["set"] if isinstance(plain, Mapping) and "set" in plain else plain
    each = [_bare(v) for v in (listed if isinstance(listed, list) else [listed])]
    if subject in _ADDRESSES and not any(isinstance(v, str) and v.startswith("@") for v in each):
        return networks(n for v in each for n in _networks(v))
    if subject == "meta l4proto":
        return frozenset(str(_part(v, protocol=True)) for v in each)
    return frozenset(str(_value(v)) for v in each)


def networks(them: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> frozenset[str]:
    """The same addresses in as few networks as can be, as text."""
    listed = list(them)
    fours = [n for n in listed if isinstance(n, ipaddress.IPv4Network)]
    sixes = [n for n in listed if isinstance(n, ipaddress.IPv6Network)]
    merged = (*ipaddress.collapse_addresses(fours), *ipaddress.collapse_addresses(sixes))
    return frozenset(map(str, merged))


def _networks(plain: Json) -> list[Any]:
    if isinstance(plain, Mapping) and "range" in plain:
        first, last = map(ipaddress.ip_address, plain["range"])
        return list(ipaddress.summarize_address_range(first, last))
    if isinstance(plain, Mapping):
        return [ipaddress.ip_network(f"{plain['prefix']['addr']}/{plain['prefix']['len']}", strict=False)]
    if not isinstance(plain, str):
        raise _Strange(plain)  # ip_network would take a number for an address
    return [ipaddress.ip_network(plain)]


def _pick_or_look(plain: Json) -> Step:
    data = plain["data"]
    if isinstance(data, str):
        return Lookup(_subject(plain["key"]), _container(data))
    return _pick(plain["key"], [(number, verdict(to)) for number, to in data["set"]])


def _translate(plain: Json) -> Step:
    where = plain["addr"]
    if isinstance(where, Mapping) and "map" in where:
        options = where["map"]["data"]["set"]
        return _pick(where["map"]["key"], [(number, _translated(*to["concat"])) for number, to in options])
    if isinstance(where, Mapping) and "concat" in where:
        return _translated(*where["concat"])
    return _translated(where, plain.get("port", 0))


def _translated(ip: object, port: object) -> Translate:
    if not isinstance(ip, str) or not isinstance(port, int):
        raise _Strange((ip, port))
    return Translate(ip, port)


def _pick(plain: Json, options: list[tuple[Any, Verdict | Translate | None]]) -> Pick:
    numgen = plain["numgen"]
    known = tuple((int(_bare(number)), to) for number, to in options if to is not None)
    if len(known) != len(options) or int(numgen["mod"]) < 1:
        raise _Strange("an option that is no verdict, or none to choose from")
    return Pick(str(numgen["mode"]), int(numgen["mod"]), int(numgen.get("offset", 0)), known)


def _mark(plain: Json) -> Mark:
    ((operator, (before, mask)),) = plain["value"].items()
    if _subject(plain["key"]) != _MARK or _subject(before) != _MARK:
        raise _Strange("not the mark")
    return Mark(str(operator), int(mask))


def _subject(plain: Json) -> str:
    """What an expression looks at, in nft's words."""
    ((kind, value),) = plain.items()
    match kind:
        case "payload":
            return f"{value['protocol']} {value['field']}"
        case "meta" | "ct":
            return f"{kind} {value['key']}"
        case "fib":
            return f"fib {' . '.join(sorted(words(value['flags'])))} {value['result']}"
        case "concat":
            return " . ".join(map(_subject, value))
        case "&" | "|" | "^":
            return f"{_subject(value[0])} {kind} {int(value[1]):#x}"
    raise _Strange(kind)


def _container(text: object) -> str:
    if not isinstance(text, str) or not text.startswith("@"):
        raise _Strange(text)
    return text[1:]


def _bare(plain: Json) -> Json:
    """An element without its comment, time-out and counters."""
    return plain["elem"]["val"] if isinstance(plain, Mapping) and "elem" in plain else plain


def _part(plain: Json, *, protocol: bool = False) -> str | int:
    if isinstance(plain, bool) or not isinstance(plain, str | int):
        return _value(plain)
    return _PROTOCOLS.get(plain, plain) if protocol and isinstance(plain, int) else plain


def _value(plain: Json) -> str:
    if isinstance(plain, Mapping) and "prefix" in plain:
        return f"{plain['prefix']['addr']}/{plain['prefix']['len']}"
    return plain if isinstance(plain, str) else _text(plain)


def words(plain: Json) -> frozenset[str]:
    """One word, a list of words or none, as newer and older versions of nft write flags."""
    if plain is None:
        return frozenset()
    return frozenset(map(str, plain)) if isinstance(plain, list) else frozenset({str(plain)})


def _text(plain: object) -> str:
    return json.dumps(plain, sort_keys=True, default=str)
