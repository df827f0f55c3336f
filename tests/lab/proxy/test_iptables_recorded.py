"""In iptables mode the proxy programs, for the recorded objects, what a real kube-proxy 1.36.2 programmed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from conformance.lab.proxy.iptables.pieces import restore_in_pieces
from conformance.lab.proxy.iptables.restore import canaries, restore
from conformance.lab.proxy.iptables.saved import saved
from conformance.lab.proxy.iptables.tool import program
from conformance.model.addresses import Family
from tests.lab.proxy.iptables_recorded import COUNTERS, canonical, recorded, tables

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns

_COUNT = f"from conformance.lab.proxy import netlink\nfor name in {sorted(COUNTERS)}: netlink.ensure_counter(name)"


@pytest.mark.parametrize(("node", "pieces"), [("n1", False), ("n2", True), ("n3", False)])
def test_ruleset_equals_recorded_one(netns: Netns, node: str, *, pieces: bool) -> None:
    netns.run(sys.executable, "-c", _COUNT)
    for family in Family:
        wanted, none = tables(family, node), saved("")
        text = restore_in_pieces(None, wanted, None, none) if pieces else restore(wanted, None, none)
        netns.run(program(family, "restore"), "--noflush", text=canaries() + text)
    programmed = canonical(json.loads(netns.run("nft", "-j", "list", "ruleset")))
    real = recorded(node)
    assert [e for e in real if e not in programmed] == []
    assert [e for e in programmed if e not in real] == []
