"""In iptables mode the proxy programs, for the recorded objects, what a real kube-proxy 1.36.2 programmed."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from conformance.lab.proxy.iptables.restore import canaries, restore, saved
from conformance.lab.proxy.iptables.tool import program
from conformance.model.addresses import Family
from tests.lab.proxy.iptables_recorded import COUNTERS, canonical, recorded, tables

if TYPE_CHECKING:
    from tests.lab.proxy.conftest import Netns

_COUNT = f"from conformance.lab.proxy import netlink\nfor name in {sorted(COUNTERS)}: netlink.ensure_counter(name)"


@pytest.mark.parametrize("node", ["n1", "n2", "n3"])
def test_ruleset_equals_recorded_one(netns: Netns, node: str) -> None:
    netns.run(sys.executable, "-c", _COUNT)
    for family in Family:
        text = canaries() + restore(tables(family, node), None, saved("")).text
        netns.run(program(family, "restore"), "--noflush", text=text)
    programmed = canonical(json.loads(netns.run("nft", "-j", "list", "ruleset")))
    wanted = recorded(node)
    assert [e for e in wanted if e not in programmed] == []
    assert [e for e in programmed if e not in wanted] == []
