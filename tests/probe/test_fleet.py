"""One agent that answers on many ports, under a name of its own on each."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from conformance.model.client import Client, ClientKind
from conformance.probe.prober import Prober
from conformance.probe.request import DialRequest, Transport
from conformance.probe.vantage import Vantage
from tests.probe.conftest import World


@pytest.mark.parametrize("transport", [Transport.TCP, Transport.UDP])
def test_a_fleet_answers_on_each_port_under_that_port_s_name(world: World, transport: Transport) -> None:
    ports = {8090: "crowd", 9001: "crowd-1", 9002: "crowd-2", 9003: "crowd-3"}
    asked = [
        DialRequest(f"{ip} {port}", ip, port, transport) for ip in ("10.91.2.2", "fd91:2::2") for port in (*ports, 9004)
    ]
    with ExitStack() as stack:
        world.serve(stack, "s", "--port", "8090", "--name", "crowd", "--fleet", "9001:3")
        vantage = Vantage(Client("c", ClientKind.EXTERNAL, "r", ()), lambda _: world.dialler())
        prober = stack.enter_context(Prober([vantage]))
        seen = {key: [d.endpoint for d in observation.dials] for key, observation in prober.sweep({"c": asked})}
    for request in asked:
        name = ports.get(request.port)
        assert seen[request.key] == [name or ""], request.key
