"""How a verdict looks on a page: a glyph, a tone and a word each, so that colour alone never says anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from conformance.model.result import Result
from conformance.model.verdict import Mismatch, Status


@dataclass(frozen=True, slots=True)
class Mark:
    """``tone`` is a class of the style sheet, shared by mismatches of one kind; ``meaning`` one line of the legend."""

    key: str
    glyph: str
    tone: str
    meaning: str


def key_of(one: Result) -> str:
    """The mark's key: what kind of thing is broken where something is, else the status."""
    return one.mismatch.value if one.status is Status.FAILED else one.status.value


_MISMATCHES: Mapping[Mismatch, tuple[str, str, str]] = {
    Mismatch.NOT_REACHED: ("\N{MULTIPLICATION X}", "lost", "silence or refusal where an answer was promised"),
    Mismatch.SOMETIMES_LOST: ("~", "lost", "some dials were answered and some were not"),
    Mismatch.WRONG_ENDPOINT: ("E", "endpoint", "an endpoint answered that must not"),
    Mismatch.ENDPOINT_NEVER_CHOSEN: ("0", "endpoint", "an endpoint that is due never answered"),
    Mismatch.SKEWED: ("%", "endpoint", "endpoints have unequal shares"),
    Mismatch.WRONG_SOURCE: ("S", "source", "the endpoint sees another source address than it should"),
    Mismatch.NOT_STICKY: ("A", "affinity", "one client was answered by several endpoints, with affinity"),
    Mismatch.NEVER_FORGOTTEN: ("\N{INFINITY}", "affinity", "affinity lasts beyond its timeout"),
    Mismatch.ANSWERED: ("!", "open", "an answer where refusal or silence was promised"),
    Mismatch.LEAKED: ("L", "open", "packets on a wire where none belong"),
    Mismatch.DROPPED_NOT_REFUSED: ("D", "refusal", "dropped, and should have been refused"),
    Mismatch.REFUSED_NOT_DROPPED: ("R", "refusal", "refused, and should have been dropped"),
    Mismatch.WRONG_REFUSAL: ("W", "refusal", "refused in another way than promised"),
    Mismatch.NOT_TOLD: ("M", "lost", "the ICMP error that is due does not reach the client"),
    Mismatch.RETRANSMITTED: ("2", "lost", "a packet got lost and had to be sent again"),
    Mismatch.CORRUPTED: ("C", "lost", "what arrives is not what was sent"),
    Mismatch.WRONG_NAME: ("N", "said", "DNS resolves a name to something else"),
    Mismatch.WRONG_WORD: ("H", "said", "kube-proxy answers something else over HTTP"),
    Mismatch.WRONG_DECISION: ("P", "said", "the API server decides otherwise"),
    Mismatch.WRONG_RULES: ("T", "node", "kube-proxy's table is not what the objects call for"),
    Mismatch.UNFIT_NODE: ("U", "node", "a node is not what kube-proxy's rules need"),
    Mismatch.EXCUSE_OUTLIVED: ("K", "node", "a known issue excuses it, and it passes"),
    Mismatch.NONE: ("F", "node", "failed, without a kind"),
}
_STATUSES: Mapping[Status, tuple[str, str, str]] = {
    Status.UNKNOWN: ("?", "unknown", "could not be asked; never counts as a pass"),
    Status.KNOWN_ISSUE: ("k", "issue", "fails, and a known upstream bug excuses it until a date"),
    Status.NOT_APPLICABLE: ("\N{EN DASH}", "apart", "not asked: it does not apply here, and a reason says why"),
    Status.RECORDED: ("o", "recorded", "the API leaves it open: dialled and recorded, never judged"),
    Status.PASSED: ("\N{MIDDLE DOT}", "passed", "as promised"),
}
MARKS: tuple[Mark, ...] = (
    *(Mark(mismatch.value, *m) for mismatch, m in _MISMATCHES.items()),
    *(Mark(status.value, *m) for status, m in _STATUSES.items()),
)
"""The worst first."""
BY_KEY: Mapping[str, Mark] = {mark.key: mark for mark in MARKS}
