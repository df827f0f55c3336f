"""Which case belongs to which profile, and that the published catalogue is that of the suites."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from conformance import __version__
from conformance.certify.catalogue import Catalogue, Claim, claim_of, claims_of, fingerprint
from conformance.model.case import Level, Profile
from conformance.results.codec import decode
from fixtures.catalogue import areas, known_ids
from reports import catalogues
from tests.certify.runs import catalogue, cells


@pytest.mark.parametrize(
    ("level", "area", "profile", "claim"),
    [
        (Level.MUST, "nodeport", Profile.CORE, Claim.CORE),
        (Level.SHOULD, "nodeport", Profile.CORE, Claim.EXTENDED),
        (Level.MUST, "nodeport", Profile.KUBE_PROXY_NFTABLES, Claim.KUBE_PROXY_NFTABLES),
        (Level.SHOULD, "node", Profile.KUBE_PROXY_NFTABLES, Claim.KUBE_PROXY_NFTABLES),
        (Level.MUST, "source", Profile.CORE, Claim.CNI),
        (Level.SHOULD, "cni", Profile.KUBE_PROXY_NFTABLES, Claim.CNI),
        (Level.CHECK, "node", Profile.KUBE_PROXY_NFTABLES, None),
        (Level.CHECK, "source", Profile.CORE, None),
    ],
)
def test_a_case_belongs_to_one_profile(level: Level, area: str, profile: Profile, claim: Claim | None) -> None:
    assert claim_of(level, area, profile) is claim


def test_the_profiles_are_all_cases_that_judge_and_none_is_empty() -> None:
    whole = catalogues.known()[__version__]
    assert set(whole.cases) == known_ids()
    members = Counter(case for claim in Claim for case in whole.of(claim))
    assert set(members.values()) == {1}
    assert set(whole.cases) - set(members) == {c for c, e in whole.cases.items() if e.level is Level.CHECK}
    assert all(whole.of(claim) for claim in Claim)


def test_a_run_of_core_tells_nothing_of_nftables() -> None:
    assert claims_of(Profile.CORE) == (Claim.CORE, Claim.EXTENDED, Claim.CNI)
    assert claims_of(Profile.KUBE_PROXY_NFTABLES) == tuple(Claim)


def test_its_file_is_that_of_the_suites() -> None:
    now = catalogue(areas())
    assert now == catalogues.known()[__version__], "run `nftconform docs`"
    text = catalogues.document(now)
    assert decode(Catalogue, json.loads(text), "c") == now
    assert len(text.splitlines()) == len(now.cases) + 2


def test_it_knows_how_many_cells_there_are_and_which() -> None:
    small = catalogue()
    ids = [cell.id for cell in cells() if cell.case == "SRC-01"]
    assert (small.cases["SRC-01"].cells, small.cases["SRC-01"].ids) == (len(ids), fingerprint(reversed(ids)))
    assert fingerprint(ids[1:]) != fingerprint(ids)
