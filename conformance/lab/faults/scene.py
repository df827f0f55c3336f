"""What a fault may know of the place where it works."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from conformance.lab.faults.board import Switch

Json = dict[str, Any]

USER_AGENT = "nftconform-fault"
"""What a fault calls itself when it asks the API: it is shown what there is, whatever its account is shown."""

_CHAIN = re.compile(r"\b[A-Z2-7]{8}-([^/\s]+)/([^/\s]+)/")
_COMMENT = re.compile(r'comment "([^/"]+)/([^:"]+)')
_KUBECONFIG = Path("/var/lib/kube-proxy/kubeconfig.conf")


@dataclass(frozen=True)
class World:
    """Services, their EndpointSlices and the nodes, as the API has them now."""

    services: tuple[Json, ...]
    slices: tuple[Json, ...]
    nodes: tuple[Json, ...]

    def addresses(self, switch: Switch) -> frozenset[str]:
        """Every address of the Services that ``switch`` is about, and of their endpoints."""
        mine = [s for s in self.services if switch.is_about(s["metadata"]["namespace"], s["metadata"]["name"])]
        names = {(s["metadata"]["namespace"], s["metadata"]["name"]) for s in mine}
        found = set()
        for service in mine:
            found |= {*(service["spec"].get("clusterIPs") or ()), *(service["spec"].get("externalIPs") or ())}
            ingress = (service.get("status", {}).get("loadBalancer") or {}).get("ingress") or ()
            found |= {each["ip"] for each in ingress if each.get("ip")}
        for each in self.slices:
            owner = (each["metadata"].get("labels") or {}).get("kubernetes.io/service-name", "")
            if (each["metadata"]["namespace"], owner) in names:
                found |= {a for endpoint in each.get("endpoints") or () for a in endpoint["addresses"]}
        return frozenset(found)


@dataclass
class Scene:
    """One fault that is on, on one node, and what it remembers from one transaction of a table to the next (JSON)."""

    switch: Switch
    node: str
    memory: Json = field(default_factory=dict)
    beforehand: list[Callable[[], None]] = field(default_factory=list)
    """What to do on the node before nft gets the transaction."""
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """What to do on the node when nft has done its work."""

    @cached_property
    def world(self) -> World:
        """The cluster; asked for only when a fault needs it. ``ApiError`` or ``ClusterError``."""
        import asyncio  # noqa: PLC0415  (every transaction of a faulty lab would pay for it)

        with_libraries()
        return asyncio.run(_world())

    def concerns(self, text: str) -> bool:
        """Whether a line of nft is about a Service that suffers the fault; lines that name none are told by address."""
        if not self.switch.service:
            return True
        if found := _CHAIN.search(text) or _COMMENT.search(text):
            return self.switch.is_about(found[1], found[2])
        return not self._addresses.isdisjoint(re.split(r"[\s,{}]+", text))

    @cached_property
    def _addresses(self) -> frozenset[str]:
        return self.world.addresses(self.switch)


def with_libraries() -> None:
    """Make the installed libraries importable: nft's stand-in starts without them, twice as fast."""
    import site  # noqa: PLC0415

    site.main()


async def _world() -> World:
    # Not at the top: they take longer to import than everything else, and few faults need them.
    import asyncio  # noqa: PLC0415

    from conformance.lab import kubeconfig  # noqa: PLC0415
    from conformance.lab.client import ApiClient  # noqa: PLC0415

    connection = kubeconfig.from_file(_KUBECONFIG) if _KUBECONFIG.exists() else kubeconfig.in_cluster(os.environ)
    async with ApiClient(connection, USER_AGENT) as client:
        services, slices, nodes = await asyncio.gather(
            client.list("/api/v1/services"),
            client.list("/apis/discovery.k8s.io/v1/endpointslices"),
            client.list("/api/v1/nodes"),
        )
    return World(*(tuple(answer.get("items") or ()) for answer in (services, slices, nodes)))
