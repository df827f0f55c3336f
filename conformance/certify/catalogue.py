"""What a version of the kit asks, as reports on it are checked against: each case, its profile, how many cells it has.

Which cells there are depends on the suites alone: on a cluster where one does not apply it is told all the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

from conformance.model.case import Level, Profile

NETWORK_AREAS = ("cni", "source")
"""Areas whose promises the pod network keeps or breaks."""


class Claim(Enum):
    """A profile of a report, in the order in which it tells of them. `claim_of` says what belongs to which."""

    CORE = "core"
    EXTENDED = "extended"
    KUBE_PROXY_NFTABLES = "kube-proxy-nftables"
    CNI = "cni"


def claim_of(level: Level, area: str, profile: Profile) -> Claim | None:
    """The profile that a case belongs to: one, by the first of these that holds; None for CHECK, which judges nothing.

    Its area is the pod network's; only kube-proxy in nftables mode keeps it; it is a MUST; it is a SHOULD.
    """
    if level is Level.CHECK:
        return None
    if area in NETWORK_AREAS:
        return Claim.CNI
    if profile is Profile.KUBE_PROXY_NFTABLES:
        return Claim.KUBE_PROXY_NFTABLES
    return Claim.CORE if level is Level.MUST else Claim.EXTENDED


def claims_of(profile: Profile) -> tuple[Claim, ...]:
    """The profiles that a run with this ``--profile`` tells of."""
    return tuple(c for c in Claim if c is not Claim.KUBE_PROXY_NFTABLES or profile is Profile.KUBE_PROXY_NFTABLES)


@dataclass(frozen=True, slots=True)
class Entry:
    """A case or matrix: its level, how many cells it has, the `fingerprint` of their IDs, and its profile."""

    level: Level
    cells: int
    ids: str
    claim: Claim | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All cases and matrices of version ``kit``, by ID."""

    kit: str
    cases: Mapping[str, Entry]

    def of(self, claim: Claim) -> tuple[str, ...]:
        """The cases of a profile, sorted."""
        return tuple(sorted(case for case, entry in self.cases.items() if entry.claim is claim))


def fingerprint(ids: Iterable[str]) -> str:
    """16 hexadecimal digits that tell sets of IDs apart."""
    return hashlib.sha256("\n".join(sorted(ids)).encode()).hexdigest()[:16]
