"""In iptables mode the proxy programs, for the recorded objects, what a real kube-proxy 1.36.2 programmed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from conformance.lab.proxy.iptables.pieces import restore_in_pieces
from conformance.lab.proxy.iptables.restore import canaries, restore
from conformance.lab.proxy.iptables.saved import saved
from conformance.lab.proxy.iptables.tables import Tables
from conformance.lab.proxy.iptables.tool import program
from conformance.model.addresses import Family
from tests.lab.proxy.iptables_recorded import COUNTERS, canonical, recorded, tables

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns

_COUNT = f"from conformance.lab.proxy import netlink\nfor name in {sorted(COUNTERS)}: netlink.ensure_counter(name)"


@pytest.mark.parametrize("node", ["n1", "n3"])
def test_ruleset_equals_recorded_one(netns: Netns, node: str) -> None:
    netns.run(sys.executable, "-c", _COUNT)
    for family in Family:
        text = canaries() + restore(tables(family, node), None, saved(""))
        netns.run(program(family, "restore"), "--noflush", text=text)
    assert_equal(netns, node)


def test_it_does_too_when_it_grows_in_pieces(netns: Netns) -> None:
    """From other Services, and from some of the right ones as they look on another node."""
    netns.run(sys.executable, "-c", _COUNT)
    for family in Family:
        wanted, other = tables(family, "n2"), tables(family, "n1")
        half = set(sorted(wanted.parts)[::2])
        before = Tables(wanted.frame, {key: other.parts[key] for key in wanted.parts if key in half})
        gone = Tables(wanted.frame, {key: part for key, part in other.parts.items() if key not in half})
        netns.run(program(family, "restore"), "--noflush", text=canaries())
        for old, new, changed in ((None, gone, None), (gone, before, half), (before, wanted, wanted.parts.keys())):
            text = restore_in_pieces(old, new, changed, saved(netns.run(program(family, "save"))))
            assert max(len(piece.encode()) for piece in text.split("COMMIT")) < 60_000
            netns.run(program(family, "restore"), "--noflush", text=text)
    assert_equal(netns, "n2")


def assert_equal(netns: Netns, node: str) -> None:
    programmed, real = canonical(json.loads(netns.run("nft", "-j", "list", "ruleset"))), recorded(node)
    assert [e for e in real if e not in programmed] == []
    assert [e for e in programmed if e not in real] == []
    services = netns.run(program(Family.IPV4, "save"), "-t", "nat").split("-A KUBE-SERVICES ")
    assert "-m addrtype --dst-type LOCAL -j KUBE-NODEPORTS" in services[-1]
