"""A load balancer controller: gives Services of type LoadBalancer addresses from a pool.

``python -m conformance.lab.loadbalancer --kubeconfig F --pool 203.0.113.0/24,2001:db8:203::/64``. Nothing announces the
addresses: the lab routes the pool to its nodes. What was given is read back from the Services' status after a restart.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.lab import commands, kubeconfig
from conformance.lab.client import ApiClient, ApiError, key
from conformance.lab.controllers.cluster import NOT_FOUND, SERVICES, Store
from conformance.lab.controllers.workqueue import WorkQueue
from conformance.lab.faults.board import Board
from conformance.spec.faults import Fault

Json = dict[str, Any]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

CLASS = "nftconform.io/lab"
IP_MODE = "nftconform.io/ip-mode"
_ANY_CLASS = Fault.LOAD_BALANCER_CLASS_IGNORED.name


@dataclass(slots=True)
class Pool:
    """The addresses of one family: who has which (pure)."""

    network: Network
    owners: dict[str, str] = field(default_factory=dict)  # by address
    _last: int = 0

    @property
    def family(self) -> str:
        """``IPv4`` or ``IPv6``."""
        return f"IPv{self.network.version}"

    def of(self, owner: str) -> str | None:
        """The address that ``owner`` has."""
        return next((address for address, has in self.owners.items() if has == owner), None)

    def take(self, owner: str, address: str) -> bool:
        """Give ``owner`` this very address; False when it is another's or not of this pool."""
        ip = ipaddress.ip_address(address)
        if ip.version != self.network.version or ip not in self.network:
            return False
        return self.owners.setdefault(str(ip), owner) == owner

    def next(self, owner: str) -> str | None:
        """Give ``owner`` a free address, one not used lately where possible; None when there is none left."""
        # The first and the last address of an IPv4 network are no hosts'; of IPv6 nobody needs more than 65,000.
        size = min(self.network.num_addresses - 2, 65_000)
        for step in range(size):
            offset = (self._last + step) % size + 1
            address = str(self.network[offset])
            if address not in self.owners:
                self._last = offset
                self.owners[address] = owner
                return address
        return None

    def release(self, owner: str, keep: str | None = None) -> bool:
        """Take back what ``owner`` has, except ``keep``; whether there was anything."""
        gone = [address for address, has in self.owners.items() if has == owner and address != keep]
        for address in gone:
            del self.owners[address]
        return bool(gone)


def wanted(service: Json, *, any_class: bool = False) -> bool:
    """Whether the Service asks this controller for addresses; ``any_class``: it takes those of others as well."""
    spec = service["spec"]
    ours = any_class or spec.get("loadBalancerClass") in (None, "", CLASS)
    return spec.get("type") == "LoadBalancer" and ours and not service["metadata"].get("deletionTimestamp")


def ingress(pools: list[Pool], service: Json) -> list[Json]:
    """The Service's addresses, one a family in its order, taken from ``pools``; fewer when none is free."""
    owner, spec = key(service), service["spec"]
    given = [i["ip"] for i in (service.get("status") or {}).get("loadBalancer", {}).get("ingress") or () if i.get("ip")]
    asked = spec.get("loadBalancerIP") or ""
    mode = (service["metadata"].get("annotations") or {}).get(IP_MODE) or "VIP"
    found = []
    families = spec.get("ipFamilies") or ["IPv4"]
    for pool in pools:
        if pool.family not in families:
            pool.release(owner)
    for family in families:
        for pool in (pool for pool in pools if pool.family == family):
            if address := _address(pool, owner, asked, given):
                found.append({"ip": address, "ipMode": mode})
                break
    return found


def _address(pool: Pool, owner: str, asked: str, given: list[str]) -> str | None:
    if asked and ipaddress.ip_address(asked).version == pool.network.version:
        # Asked for by name: that one or none.
        pool.release(owner, keep=str(ipaddress.ip_address(asked)))
        return str(ipaddress.ip_address(asked)) if pool.take(owner, asked) else None
    if had := pool.of(owner):
        return had
    return next((address for address in given if pool.take(owner, address)), None) or pool.next(owner)


class LoadBalancerController:
    """Keeps ``status.loadBalancer`` of each Service; ``board`` is the lab's switchboard of faults."""

    def __init__(self, client: ApiClient, pools: list[Pool], board: Board | None = None) -> None:
        self.queue = WorkQueue("loadbalancer", self.sync)
        self.services = Store(client, SERVICES)
        self._client = client
        self._pools = pools
        self._board = board
        self.services.subscribe(lambda _event, service, _before: self.queue.add(key(service)))

    async def run(self) -> None:
        """Run until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self.services.informer.run())
            await self.services.informer.synced.wait()
            self._adopt()
            group.create_task(self.queue.run())

    async def sync(self, service_key: str) -> None:
        """Bring one Service's addresses in order."""
        service = self.services.get(service_key)
        if service is None or not self._wanted(service):
            freed = [pool.release(service_key) for pool in self._pools]
            if any(freed):
                self._retry_pending()
            if service is None or service["spec"].get("type") == "LoadBalancer" or not self._ours(service):
                return
            addresses = []
        else:
            addresses = ingress(self._pools, service)
        before = (service.get("status") or {}).get("loadBalancer", {}).get("ingress") or []
        if [(i.get("ip"), i.get("ipMode")) for i in before] == [(i["ip"], i["ipMode"]) for i in addresses]:
            return
        body = {"status": {"loadBalancer": {"ingress": addresses or None}}}
        try:
            self.services.informer.note(await self._client.patch(f"{SERVICES.item(service)}/status", body))
        except ApiError as error:
            if error.status != NOT_FOUND:
                raise

    def _adopt(self) -> None:
        """What Services have, they keep: before anything new is given, the older Service first."""
        for service in sorted(self.services.all(), key=lambda s: s["metadata"].get("creationTimestamp", "")):
            if self._wanted(service):
                for entry in (service.get("status") or {}).get("loadBalancer", {}).get("ingress") or ():
                    if entry.get("ip"):
                        any(pool.take(key(service), entry["ip"]) for pool in self._pools)

    def _wanted(self, service: Json) -> bool:
        on = [s for s in self._board.read() if s.fault == _ANY_CLASS] if self._board else []
        metadata = service["metadata"]
        greedy = any(switch.is_about(metadata["namespace"], metadata["name"]) for switch in on)
        return wanted(service, any_class=greedy)

    def _ours(self, service: Json) -> bool:
        """Whether the status still shows an address of ours."""
        entries = (service.get("status") or {}).get("loadBalancer", {}).get("ingress") or ()
        ips = [ipaddress.ip_address(entry["ip"]) for entry in entries if entry.get("ip")]
        return any(ip.version == pool.network.version and ip in pool.network for ip in ips for pool in self._pools)

    def _retry_pending(self) -> None:
        for service in self.services.all():
            entries = (service.get("status") or {}).get("loadBalancer", {}).get("ingress") or ()
            if self._wanted(service) and len(entries) < len(service["spec"].get("ipFamilies") or ("IPv4",)):
                self.queue.add(key(service))


def pools_of(text: str) -> list[Pool]:
    """The pools of a comma-separated list of networks; ``UsageError``."""
    try:
        return [Pool(ipaddress.ip_network(cidr.strip())) for cidr in text.split(",")]
    except ValueError as error:
        raise UsageError(
            f"--pool {text} is not a list of networks: {error}.", "Give CIDRs such as 203.0.113.0/24."
        ) from error


def main() -> int:
    """The command."""
    parser = commands.parser("conformance.lab.loadbalancer", __doc__)
    parser.add_argument("--pool", required=True, help="networks, separated by commas")
    parser.add_argument("--faults", type=Path, help="the lab's switchboard; without it, no fault is on")
    arguments = parser.parse_args()

    async def work() -> None:
        pools = pools_of(arguments.pool)
        async with ApiClient(kubeconfig.load(arguments.kubeconfig), "lab-loadbalancer") as client:
            logging.getLogger(__name__).info("pools: %s", ", ".join(str(pool.network) for pool in pools))
            board = Board(arguments.faults) if arguments.faults else None
            await LoadBalancerController(client, pools, board).run()

    return commands.run(work, arguments.log_level)


if __name__ == "__main__":
    sys.exit(main())
