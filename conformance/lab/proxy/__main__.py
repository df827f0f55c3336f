"""``python -m conformance.lab.proxy --node node-a --kubeconfig F``: the Service rules of one node."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from conformance.lab import commands, kubeconfig
from conformance.lab.client import ApiClient, Informer
from conformance.lab.proxy import config, place
from conformance.lab.proxy.config import Configuration
from conformance.lab.proxy.health import ProxyHealth
from conformance.lab.proxy.iptables import canary
from conformance.lab.proxy.iptables.backend import IptablesBackend
from conformance.lab.proxy.iptables.host import route_loopback
from conformance.lab.proxy.leftovers import clean_up, clean_up_other_mode
from conformance.lab.proxy.metrics import Metrics
from conformance.lab.proxy.nft_backend import NftBackend
from conformance.lab.proxy.place import Place
from conformance.lab.proxy.ports import is_health_checked, is_proxied
from conformance.lab.proxy.runner import Runner
from conformance.lab.proxy.servers import ServiceHealthServers, serve_health, serve_metrics
from conformance.lab.proxy.syncer import Syncer
from conformance.lab.proxy.view import View
from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode

_log = logging.getLogger(__name__)
_CIDR_SECONDS = 1.0


async def run(
    client: ApiClient, node: str, configuration: Configuration, document: Mapping[str, Any] | None = None
) -> None:
    """Program ``node``, whose network namespace this is, until cancelled; the rules stay."""
    metrics, health = Metrics(configuration.mode), ProxyHealth(2 * configuration.sync_period)
    runners: dict[Family, Runner] = {}

    def changed(families: Iterable[Family]) -> None:
        metrics.service_changes.inc(view.service_changes)
        metrics.endpoint_changes.inc(view.endpoint_changes)
        view.service_changes = view.endpoint_changes = 0
        for family in families:
            if family in runners:
                health.queued(family)
                metrics.last_queued.labels(family.value).set_to_current_time()
                runners[family].request()

    view = View(changed)

    def node_changed(event: str, item: dict[str, Any]) -> None:
        health.node = None if event == "DELETED" else item
        view.on_node(event, item)

    services = Informer(client, "/api/v1/services", on_event=view.on_service)
    slices = Informer(client, "/apis/discovery.k8s.io/v1/endpointslices", on_event=view.on_slice)
    nodes = Informer(client, "/api/v1/nodes", {"fieldSelector": f"metadata.name={node}"}, node_changed)
    cidrs = Informer(client, "/apis/networking.k8s.io/v1/servicecidrs", on_event=view.on_service_cidr)

    await clean_up_other_mode(configuration.mode)
    async with asyncio.TaskGroup() as group:
        for informer in (services, slices, nodes, cidrs):
            group.create_task(informer.run())
        group.create_task(serve_health(configuration.healthz_address, health, metrics))
        group.create_task(serve_metrics(configuration.metrics_address, metrics, configuration.mode, document or {}))
        await asyncio.gather(services.synced.wait(), slices.synced.wait())
        await nodes.until(lambda _: view.node is not None and bool(view.node.addresses))
        try:
            # Clusters before 1.33 have no ServiceCIDRs; a late one is a change like any other.
            async with asyncio.timeout(_CIDR_SECONDS):
                await cidrs.synced.wait()
        except TimeoutError:
            _log.info("no ServiceCIDRs yet")
        for family in Family:
            checks = _health_checks(view, family, ServiceHealthServers(family, health))
            runners[family] = _runner(family, configuration, view, metrics, health, checks, group)
            health.updated(family)
            metrics.last_queued.labels(family.value).set(time.time())
            group.create_task(runners[family].loop())


def _runner(
    family: Family,
    configuration: Configuration,
    view: View,
    metrics: Metrics,
    health: ProxyHealth,
    synced: Callable[[Place], Awaitable[None]],
    group: asyncio.TaskGroup,
) -> Runner:
    """What keeps the rules of ``family`` in the configured mode; what else that takes runs in ``group``."""
    retry, least = configuration.sync_period, configuration.min_sync_period
    if configuration.mode is not ProxyMode.IPTABLES:
        table = NftBackend(family, retry, metrics)
        return Runner(Syncer(family, configuration, table, view, metrics, health, synced).sync, least)
    chains = IptablesBackend(family, retry, metrics)
    runner = Runner(Syncer(family, configuration, chains, view, metrics, health, synced).sync, least)

    def lost() -> None:
        chains.written = False
        runner.request()

    group.create_task(canary.watch(family, retry, lost))
    return runner


def _health_checks(view: View, family: Family, servers: ServiceHealthServers) -> Callable[[Place], Awaitable[None]]:
    async def update(here: Place) -> None:
        asked = [
            s
            for s in view.services
            if is_proxied(s)
            and is_health_checked(s)
            and any(Family.of(ip) is family for ip in s.cluster_ips if ip != "None")
        ]
        await servers.update(
            {s.key: s.health_check_node_port for s in asked},
            {s.key: view.local_ready(s, family) for s in asked},
            here.node_port_ips if here.node_port_ips is not None else ("0.0.0.0" if family is Family.IPV4 else "::",),
        )

    return update


def main() -> int:
    """The command."""
    parser = commands.parser("conformance.lab.proxy", __doc__)
    parser.add_argument("--node", default="", help="the name of the Node this runs on")
    parser.add_argument("--config", type=Path, help="a KubeProxyConfiguration in YAML")
    parser.add_argument("--cleanup", action="store_true", help="remove all rules and exit")
    arguments = parser.parse_args()
    if not (arguments.node or arguments.cleanup):
        parser.error("--node is required")

    async def work() -> None:
        if arguments.cleanup:
            await clean_up()
            return
        configuration, document = config.load(arguments.config) if arguments.config else (Configuration(), {})
        if place.loopback_node_ports(Family.IPV4, configuration):
            route_loopback()
        async with ApiClient(kubeconfig.load(arguments.kubeconfig), "kube-proxy") as client:
            await run(client, arguments.node, configuration, document)

    return commands.run(work, arguments.log_level)


if __name__ == "__main__":
    sys.exit(main())
