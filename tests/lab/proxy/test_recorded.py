"""The proxy programs, for the recorded objects, exactly what a real kube-proxy 1.36.2 programmed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from conformance.lab.proxy.desired import desired
from conformance.lab.proxy.transaction import Existing, full
from conformance.model.addresses import Family

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns, Recording


@pytest.mark.parametrize("node", ["n1", "n2", "n3"])
def test_ruleset_equals_recorded_one(netns: Netns, recording: Recording, node: str) -> None:
    for family in Family:
        whole = desired(
            recording.services,
            recording.slices,
            recording.nodes[node],
            recording.configuration,
            recording.service_cidrs,
            family=family,
            interface_addresses=recording.local_addresses[node],
        )
        netns.nft(full(whole, Existing(), rehook=True).text)
    recorded, programmed = recording.ruleset(node), netns.listing()
    assert [e for e in recorded if e not in programmed] == []
    assert [e for e in programmed if e not in recorded] == []
