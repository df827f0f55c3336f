"""The objects of ``nft -j``'s one long array, one at a time, from text that comes in pieces."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

_OPENING = re.compile(r'\s*\{\s*"nftables"\s*:\s*\[\s*')
_CLOSING = re.compile(r"\s*\]\s*\}\s*")
_BETWEEN = re.compile(r"[\s,]*")
_LONGEST_OPENING = 200


class MalformedRuleset(ValueError):
    """The text is not what ``nft -j list ...`` prints, or is cut short."""


def objects(pieces: Iterable[str]) -> Iterator[Any]:
    """Every object of the array in ``pieces`` of text; never more than one of them and a piece are held.

    An object that spans pieces is tried again only when the text has grown by half, so that cost stays linear.
    `MalformedRuleset` when the text breaks off or is something else.
    """
    decoder, more, text = json.JSONDecoder(), iter(pieces), ""
    text, position = _opened(more)
    wanted = 0
    ended = False
    while True:
        between = _BETWEEN.match(text, position)
        position = between.end() if between else position
        if text[position : position + 1] == "]":
            return _finish(text[position:], more)
        found: Any = None
        end = -1
        if position < len(text) and (ended or len(text) - position >= wanted):
            try:
                found, end = decoder.raw_decode(text, position)
            except json.JSONDecodeError as fault:
                if ended:
                    raise MalformedRuleset(f"it breaks off or is no JSON: {fault.msg}") from None
            except RecursionError:
                raise MalformedRuleset("it is nested too deeply") from None
        if end >= 0:
            yield found
            position, wanted = end, 0
            continue
        text, position = text[position:], 0
        wanted = len(text) * 3 // 2
        text, ended = _grown(text, more, wanted)
        if ended and not text:
            raise MalformedRuleset("it breaks off")


def _opened(more: Iterator[str]) -> tuple[str, int]:
    text = ""
    for piece in more:
        text += piece
        opening = _OPENING.match(text)
        if opening:
            return text, opening.end()
        if len(text) > _LONGEST_OPENING:
            break
    raise MalformedRuleset("it does not begin as the output of nft -j does")


def _grown(text: str, more: Iterator[str], least: int) -> tuple[str, bool]:
    """``text`` and what follows, at least one piece and ``least`` characters, and whether that is all there is."""
    parts, length = [text], len(text)
    for piece in more:
        parts.append(piece)
        length += len(piece)
        if length >= least:
            return "".join(parts), False
    return "".join(parts), True


def _finish(rest: str, more: Iterator[str]) -> None:
    text = rest + "".join(more)
    if not _CLOSING.fullmatch(text):
        raise MalformedRuleset("something follows its array")
