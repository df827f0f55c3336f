"""An address that was given up may be somebody else's by now; their answer is no failure."""

from __future__ import annotations

from typing import Any

import pytest

from conformance.arrange.owners import owner
from conformance.model.addresses import Protocol
from conformance.model.client import Destination, DestinationKind

THEIRS: dict[str, Any] = {
    "metadata": {"namespace": "shop", "name": "web"},
    "spec": {
        "clusterIPs": ["10.96.0.7", "fd00::7"],
        "ports": [{"port": 80, "nodePort": 30123}, {"port": 53, "protocol": "UDP", "nodePort": 30124}],
        "healthCheckNodePort": 31000,
    },
}
HEADLESS: dict[str, Any] = {"metadata": {"namespace": "shop", "name": "db"}, "spec": {"clusterIPs": ["None"]}}


def to(ip: str, port: int, protocol: Protocol = Protocol.TCP, node: str = "") -> Destination:
    return Destination(
        DestinationKind.NODE_PORT if node else DestinationKind.CLUSTER_IP, ip, port, protocol, "", node=node
    )


@pytest.mark.parametrize(
    ("destination", "found"),
    [
        (to("10.96.0.7", 4321), "shop/web"),
        (to("fd00::7", 80), "shop/web"),
        (to("10.96.0.8", 80), ""),
        (to("172.18.0.2", 30123, node="n"), "shop/web"),
        (to("172.18.0.2", 30123, Protocol.UDP, node="n"), ""),
        (to("172.18.0.2", 30124, Protocol.UDP, node="n"), "shop/web"),
        (to("172.18.0.2", 31000, node="n"), "shop/web"),
        (to("172.18.0.2", 30123), ""),
    ],
)
def test_the_owner_is_who_has_the_address_and_the_port(destination: Destination, found: str) -> None:
    assert owner([HEADLESS, THEIRS], destination) == found
