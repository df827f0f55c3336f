"""Versions of nft, and which of them cannot read what others have written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import permutations

_VERSION = re.compile(r"nftables v(\d+(?:\.\d+)+)")
# Set metadata (udata) in a form that older readers crash at (SIGSEGV): kubernetes/kubernetes#136786 and its thread,
# netfilter commit be737a1986bf. 1.0.6.1 is a stable release with the same code.
_BACKPORT = (1, 0, 6, 1)
_NEW_SETS = (1, 1, 2)
# At rules and sets of 1.0.3 or later every `nft` of 0.9.8 or before crashes: pkg/proxy/nftables/supported.go.
_OLDEST_WRITER, _BLIND = (1, 0, 3), (0, 9, 8)


def nft_version(text: str) -> str:
    """What ``nft --version`` says, as ``1.0.6``; empty when it is no version of nft's."""
    found = _VERSION.search(text)
    return found[1] if found else ""


def clashes(versions: Mapping[str, str]) -> list[str]:
    """Which of several nfts on one node crashes at what which other writes; ``versions`` by whose it is."""
    return [
        f"{reader} {versions[reader]} crashes at sets of {writer} {versions[writer]}"
        for reader, writer in permutations(versions, 2)
        if _crashes(_parts(versions[reader]), _parts(versions[writer]))
    ]


def _crashes(reader: tuple[int, ...], writer: tuple[int, ...]) -> bool:
    if not (reader and writer):
        return False
    if _understands(writer) and not _understands(reader):
        return True
    return reader <= _BLIND and writer >= _OLDEST_WRITER


def _understands(version: tuple[int, ...]) -> bool:
    return version >= _NEW_SETS or version == _BACKPORT


def _parts(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split("."))) if version else ()
