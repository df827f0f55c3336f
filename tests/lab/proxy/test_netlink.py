"""What the proxy reads of the kernel's connection tracking, and what it makes it forget."""

from __future__ import annotations

import json
import sys

import pytest

from tests.lab.proxy.conftest import Netns

_RULES = """
table inet here {
  chain first {
    type filter hook output priority raw
    udp dport 7000 ct original zone set 7
  }
  chain nat {
    type nat hook output priority -100
    ip daddr 10.96.0.1 udp dport 53 dnat ip to 127.0.0.1:5353
    ip6 daddr fd96::1 udp dport 53 dnat ip6 to [::1]:5353
  }
}
"""
_READ = """
import json, socket, sys
from conformance.lab.proxy import netlink
from conformance.model.addresses import Family, Protocol
family = Family(sys.argv[1])
kind = socket.AF_INET if family is Family.IPV4 else socket.AF_INET6
for ip, port in json.loads(sys.argv[2]):
    with socket.socket(kind, socket.SOCK_DGRAM) as client: client.sendto(b"x", (ip, port))
with socket.create_server((json.loads(sys.argv[2])[1][0], 9000), family=kind) as tcp:
    socket.create_connection(tcp.getsockname()[:2]).close()
walked, walk = [], netlink._attributes
netlink._attributes = lambda text: walked.append(text) or walk(text)
flows = netlink.flows(family, Protocol.UDP)
netlink._attributes = walk
told = [[*flow.destination, *flow.replier] for flow in flows]
forgot = netlink.forget(family, [flow for flow in flows if flow.translated])
left = [flow.destination for flow in netlink.flows(family, Protocol.UDP)]
print(json.dumps([told, len(walked), forgot, left]))
"""

_WALKS = 7
"""Lists of attributes in a flow: its own, those of its tuples, and each tuple's addresses and ports."""


@pytest.mark.parametrize(("family", "virtual", "own"), [("IPv4", "10.96.0.1", "127.0.0.1"), ("IPv6", "fd96::1", "::1")])
def test_flows_are_read_and_forgotten(netns: Netns, family: str, virtual: str, own: str) -> None:
    netns.run("ip", "address", "add", virtual, "dev", "lo", *(["nodad"] if ":" in virtual else []))
    netns.nft(_RULES)
    targets = [[virtual, 53], [own, 6000], [own, 7000]]
    said = netns.run(sys.executable, "-c", _READ, family, json.dumps(targets))
    told, walked, forgot, left = json.loads(said)
    assert sorted(told) == sorted([[virtual, 53, own, 5353], [own, 6000, own, 6000], [own, 7000, own, 7000]])
    assert walked == _WALKS, "one flow has a zone of one direction, which makes its tuple longer; no other is walked"
    assert (forgot, sorted(left)) == (1, [[own, 6000], [own, 7000]])
