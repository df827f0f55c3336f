"""The agent's lines as nouns."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from conformance.model.observation import Dial, End, IcmpError, Observation
from conformance.model.place import LocalAddress, Place
from conformance.probe.names import records

_LONGEST, _LATEST = 1e6, 1e10
"""Seconds: eleven days, which no dial takes, and three centuries, which no machine has been up."""


def dial_of(row: list[Any]) -> Dial:
    """One dial: ``[end, endpoint, source, source port, local, local port, icmp, began, took, detail,
    port, retransmits]``.
    """
    end, endpoint, source, source_port, local, local_port, icmp, at, took, detail, port, again = row
    return Dial(
        end=End(end),
        endpoint=endpoint,
        source=source,
        source_port=source_port,
        local=local,
        local_port=local_port,
        icmp=IcmpError(*icmp) if icmp else None,
        at=_seconds(at, _LATEST),
        took=_seconds(took),
        detail=detail,
        port=port,
        retransmits=again,
    )


def observation_of(message: dict[str, Any]) -> Observation:
    """The agent's ``result``."""
    trouble = message.get("trouble", "")
    if message.get("cancelled") and not trouble:
        trouble = "the dialling was cancelled"
    return Observation(
        dials=tuple(dial_of(row) for row in message.get("dials", ())),
        control_before=message.get("before"),
        control_after=message.get("after"),
        trouble=trouble,
        seconds=_seconds(message.get("seconds")),
    )


def _seconds(told: object, most: float = _LONGEST) -> float:
    """What an agent calls a time or a duration: 0 if it is none."""
    return float(told) if isinstance(told, int | float) and 0 <= told < most else 0.0


def place_of(message: dict[str, Any]) -> Place:
    """The agent's ``hello``."""
    return Place(
        host=message["host"],
        kernel=message["kernel"],
        python=message["python"],
        boot=message["boot"],
        addresses=tuple(LocalAddress(a["dev"], a["ip"], a["prefix"], a["scope"]) for a in message["addresses"]),
        search=tuple(message["search"]),
    )


@dataclass(frozen=True, slots=True)
class Page:
    """An HTTP answer; header names in lower case, ``body`` cut at 64 KiB."""

    status: int
    headers: dict[str, str]
    body: str


def page_of(dial: Dial) -> Page | None:
    """The page that an HTTP dial fetched, None when it was not answered."""
    if dial.end is not End.ANSWERED:
        return None
    page = json.loads(dial.detail)
    return Page(page["status"], page["headers"], page["body"])


def named(observation: Observation) -> Observation:
    """What was seen by a `DialRequest.lookup`, with each answer's records as lines of ``Dial.detail``."""
    dials, again = (tuple(map(_named, dials)) for dials in (observation.dials, observation.again))
    return replace(observation, dials=dials, again=again)


def _named(dial: Dial) -> Dial:
    return replace(dial, detail=records(dial.detail)) if dial.end is End.ANSWERED else dial
