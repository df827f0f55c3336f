"""Answers that are read: kube-proxy's own pages, the API server's decisions, and the silence of a watched wire."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from conformance.judge.finding import Finding, tally
from conformance.model.case.then import PRESENT
from conformance.model.observation import Dial, End
from conformance.model.outcome import Decides, Tells
from conformance.model.verdict import Mismatch

WEIGHT, SNIFFING = "x-load-balancing-endpoint-weight", "x-content-type-options"


def told(outcome: Tells, dials: Sequence[Dial]) -> Finding:
    """Every dial brought the promised HTTP status, and the promised count in body and weight header."""
    answers = [d for d in dials if d.end is End.ANSWERED]
    if len(answers) < len(dials):
        return Finding(Mismatch.NOT_REACHED, tally(dials), silence=any(d.end is End.TIMEOUT for d in dials))
    for dial in answers:
        wrong = _wrong(outcome, json.loads(dial.detail))
        if wrong:
            return Finding(Mismatch.WRONG_WORD, wrong)
    return Finding()


def _wrong(outcome: Tells, page: dict[str, Any]) -> str:
    if page["status"] != outcome.status:
        return f"the status was {page['status']}; promised was {outcome.status}"
    if outcome.body and page["body"].strip() != outcome.body:
        return f"the answer was {page['body'].strip()[:100]!r}; promised was {outcome.body!r}"
    if outcome.local_endpoints is None:
        return ""
    try:
        body = json.loads(page["body"])
        count = body["localEndpoints"]
    except (ValueError, KeyError, TypeError):
        return f"the body tells no localEndpoints: {page['body'][:100]!r}"
    if count != outcome.local_endpoints:
        return f"the body tells {count} local endpoints; there are {outcome.local_endpoints}"
    weight = page["headers"].get(WEIGHT)
    if weight != str(outcome.local_endpoints):
        return f"X-Load-Balancing-Endpoint-Weight is {weight}; there are {outcome.local_endpoints} local endpoints"
    return _incomplete(outcome.service, page["headers"], body) if outcome.service else ""


def _incomplete(service: str, headers: dict[str, str], body: dict[str, Any]) -> str:
    """What the answer lacks of all that a healthy kube-proxy says of ``service``."""
    namespace, name = service.split("/")
    promised = {"service": {"namespace": namespace, "name": name}, "serviceProxyHealthy": True}
    for key, value in promised.items():
        if body.get(key) != value:
            return f"the body tells {key} {body.get(key)!r}; promised was {value!r}"
    sniffing = headers.get(SNIFFING)
    return "" if sniffing == "nosniff" else f"X-Content-Type-Options is {sniffing}; promised was nosniff"


def quiet(dials: Sequence[Dial]) -> Finding:
    """Nothing was seen on the watched wires."""
    seen = [json.loads(d.detail) for d in dials if d.end is End.ANSWERED]
    if not seen:
        return Finding()
    packets = [p for one in seen for p in one["seen"]]
    shown = "; ".join(
        f"{p['source']} -> {p['destination']} port {p['port']}/{p['protocol']} on {p['device']}" for p in packets[:3]
    )
    return Finding(Mismatch.LEAKED, f"{sum(one['packets'] for one in seen)} packets left the node: {shown}")


def faithful(dials: Sequence[Dial]) -> Finding:
    """The audit found nothing, after any step."""
    found = [text for dial in dials for text in json.loads(dial.detail)]
    if not found:
        return Finding()
    more = f", and {len(found) - 3} more" if len(found) > 3 else ""
    return Finding(Mismatch.WRONG_RULES, "; ".join(found[:3]) + more)


def decided(outcome: Decides, dials: Sequence[Dial]) -> Finding:
    """The API server refused for the promised field, or stored what was promised."""
    for dial in dials:
        answer = json.loads(dial.detail)
        wrong = _refusal(outcome, answer) if outcome.status else _stored(outcome, answer)
        if wrong:
            return Finding(Mismatch.WRONG_DECISION, wrong)
    return Finding()


def _refusal(outcome: Decides, answer: dict[str, Any]) -> str:
    field, named = outcome.field, answer["fields"]
    if answer["status"] < 300:
        return f"the request was taken; promised was a refusal ({outcome.status})" + (f" of {field}" if field else "")
    if answer["status"] != outcome.status:
        return f"the refusal was {answer['status']}, not {outcome.status}: {answer['message'][:200]}"
    if field and not any(_within(each, field) for each in named):
        return f"the refusal names {', '.join(named) or 'no field'}, not {field}: {answer['message'][:200]}"
    return ""


def _within(named: str, field: str) -> bool:
    """Whether what is blamed is the field or a part of it; the API writes one field with a capital letter."""
    named, field = named.lower(), field.lower()
    return named == field or named.startswith((f"{field}.", f"{field}["))


def _stored(outcome: Decides, answer: dict[str, Any]) -> str:
    if answer["status"] >= 300:
        return f"the request was refused ({answer['status']}): {answer['message'][:200]}"
    for path, promised in outcome.holds:
        found = value_at(answer["object"], path)
        if _differs(found, promised):
            return f"{path} is {found!r}; promised was {promised!r}"
    return ""


def _differs(found: object, promised: object) -> bool:
    """Whether ``found`` is not what was promised; an empty string, list or map, and a port 0, are nothing."""
    nothing = found is None or found in ("", [], {}) or (found == 0 and found is not False)
    if promised is None:
        return not nothing
    if promised == PRESENT:
        return nothing
    return type(found) is not type(promised) or found != promised


def value_at(plain: Any, path: str) -> Any:  # noqa: ANN401  JSON in, JSON out
    """What ``plain`` holds at ``path`` (``spec.ports.0.nodePort``); None where there is nothing."""
    for word in path.split("."):
        if isinstance(plain, list):
            plain = plain[int(word)] if word.isdigit() and int(word) < len(plain) else None
        elif isinstance(plain, dict):
            plain = plain.get(word)
        else:
            return None
    return plain
