"""What comparing an outcome with dials can find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.model.observation import Dial, End, IcmpError
from conformance.model.verdict import Mismatch

_PORT_UNREACHABLE = {(3, 3), (1, 4)}
_UNREACHABLE = {(3, 0), (3, 1), (3, 6), (3, 7), (3, 11), (3, 12), (1, 0), (1, 2), (1, 3)}


@dataclass(frozen=True, slots=True)
class Finding:
    """A mismatch (or NONE) in one sentence; ``silence`` says that the finding rests on dials that heard nothing."""

    mismatch: Mismatch = Mismatch.NONE
    message: str = ""
    silence: bool = False


def answered(dial: Dial) -> bool:
    """Whether somebody was there: an answer, whole or not, or a connection that was made and then cut."""
    return dial.end in {End.ANSWERED, End.CUT, End.GARBLED}


def refuses(icmp: IcmpError | None) -> bool:
    """Whether an ICMP error is a refusal as kube-proxy and closed UDP ports send it: port unreachable."""
    return icmp is not None and (icmp.type, icmp.code) in _PORT_UNREACHABLE


def unroutable(dial: Dial) -> bool:
    """Whether the client's kernel, or a router, had no way to the address."""
    icmp = dial.icmp
    return dial.end is End.NO_ROUTE or (
        dial.end is End.ICMP and icmp is not None and (icmp.type, icmp.code) in _UNREACHABLE
    )


def longest_silence(dials: Iterable[Dial]) -> float:
    """Seconds of the longest stretch without an answer: from the first dial that had none to the next that had one.

    One that goes on until the last dial ends with it.
    """
    longest, since, last = 0.0, None, 0.0
    for dial in sorted(dials, key=lambda d: d.at):
        if dial.end is End.ANSWERED:
            longest, since = max(longest, dial.at - since if since is not None else 0.0), None
        elif since is None:
            since = dial.at
        last = dial.at + dial.took
    return max(longest, last - since if since is not None else 0.0)


def tally(dials: Iterable[Dial]) -> str:
    """How dials ended, in words, e.g. ``24/24 answered by web-a, which saw 10.0.0.1``; the commonest first."""
    every = tuple(dials)
    counts = Counter(map(_words, every))
    parts = [f"{n}/{len(every)} {words}" for words, n in sorted(counts.items(), key=lambda kv: (-kv[1], kv[0]))]
    return ", ".join(parts) or "nothing was dialled"


def _words(dial: Dial) -> str:
    match dial.end:
        case End.ANSWERED:
            return f"answered by {dial.endpoint or 'somebody'}" + (f", which saw {dial.source}" if dial.source else "")
        case End.ICMP if dial.icmp is not None:
            told = f", MTU {dial.icmp.mtu}" if dial.icmp.mtu else ""
            return f"ICMP {dial.icmp.type}/{dial.icmp.code} from {dial.icmp.sender}{told}"
        case End.ERROR:
            return f"could not be made ({dial.detail or 'no reason given'})"
        case End.CUT:
            return "connected and then cut"
        case End.GARBLED:
            return f"answered by {dial.endpoint} to something else than was asked"
        case End.RST:
            return "reset"
        case End.TIMEOUT:
            return "silent"
        case End.NO_ROUTE:
            return "without a route"
        case _:
            return "an ICMP error of unknown type"
