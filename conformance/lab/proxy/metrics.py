"""kube-proxy's own metrics under their own names, in Prometheus' text format."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from conformance.lab.proxy import netlink
from conformance.lab.proxy.iptables import names
from conformance.model.cluster import ProxyMode

_SYNC_BUCKETS = tuple(0.001 * 2**i for i in range(15))
_PROGRAMMING_BUCKETS = (0, 0.25, 0.5, *range(1, 60), *range(60, 120, 5), *range(120, 301, 30))
_FAMILY = ("ip_family",)
_RULES = ("table", *_FAMILY)
_COUNTS = (
    (
        "kubeproxy_iptables_ct_state_invalid_dropped_packets",
        "packets dropped by iptables to work around conntrack problems",
        names.INVALID_DROPPED,
    ),
    (
        "kubeproxy_iptables_localhost_nodeports_accepted_packets",
        "Number of packets accepted on nodeports of loopback interface",
        names.LOOPBACK_ACCEPTED,
    ),
)


class Metrics:
    """One process's metrics in ``mode``, whose names are shown; ``ip_family`` is ``IPv4`` or ``IPv6``."""

    def __init__(self, mode: ProxyMode = ProxyMode.NFTABLES) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self._mode = mode
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        if mode is ProxyMode.IPTABLES:
            self.registry.register(_PacketCounts())
        sync = "kubeproxy_sync_proxy_rules"
        self.sync_duration = self._histogram(f"{sync}_duration_seconds", "SyncProxyRules latency in seconds")
        self.full_sync_duration = self._histogram(
            "kubeproxy_sync_full_proxy_rules_duration_seconds", "SyncProxyRules latency in seconds for full resyncs"
        )
        self.partial_sync_duration = self._histogram(
            "kubeproxy_sync_partial_proxy_rules_duration_seconds",
            "SyncProxyRules latency in seconds for partial resyncs",
        )
        self.network_programming = self._histogram(
            "kubeproxy_network_programming_duration_seconds",
            "In Cluster Network Programming Latency in seconds",
            _PROGRAMMING_BUCKETS,
        )
        self.conntrack_duration = self._histogram(
            "kubeproxy_conntrack_reconciler_sync_duration_seconds", "ReconcileConntrackFlowsLatency latency in seconds"
        )
        self.conntrack_deleted = self._counter(
            "kubeproxy_conntrack_reconciler_deleted_entries",
            "Cumulative conntrack flows deleted by conntrack reconciler",
            _FAMILY,
        )
        nftables, iptables = ProxyMode.NFTABLES, ProxyMode.IPTABLES
        self.sync_failures = self._counter(
            f"{sync}_nftables_sync_failures", "Cumulative proxy nftables sync failures", _FAMILY, nftables
        )
        self.cleanup_failures = self._counter(
            f"{sync}_nftables_cleanup_failures", "Cumulative proxy nftables cleanup failures", _FAMILY, nftables
        )
        self.restore_failures = self._counter(
            f"{sync}_iptables_restore_failures", "Cumulative proxy iptables restore failures", _FAMILY, iptables
        )
        self.partial_restore_failures = self._counter(
            f"{sync}_iptables_partial_restore_failures",
            "Cumulative proxy iptables partial restore failures",
            _FAMILY,
            iptables,
        )
        self.iptables_total = self._gauge(
            f"{sync}_iptables_total", "Total number of iptables rules owned by kube-proxy", _RULES, iptables
        )
        self.iptables_last = self._gauge(
            f"{sync}_iptables_last", "Number of iptables rules written by kube-proxy in last sync", _RULES, iptables
        )
        self.endpoint_changes = self._counter(f"{sync}_endpoint_changes", "Cumulative proxy rules Endpoint changes")
        self.service_changes = self._counter(f"{sync}_service_changes", "Cumulative proxy rules Service changes")
        self.endpoint_changes_pending = self._gauge(
            f"{sync}_endpoint_changes_pending", "Pending proxy rules Endpoint changes"
        )
        self.service_changes_pending = self._gauge(
            f"{sync}_service_changes_pending", "Pending proxy rules Service changes"
        )
        self.last_sync = self._gauge(
            f"{sync}_last_timestamp_seconds", "The last time proxy rules were successfully synced", _FAMILY
        )
        self.last_queued = self._gauge(
            f"{sync}_last_queued_timestamp_seconds", "The last time a sync of proxy rules was queued", _FAMILY
        )
        self.no_local_endpoints = self._gauge(
            f"{sync}_no_local_endpoints_total",
            "Number of services with a Local traffic policy and no endpoints",
            (*_FAMILY, "traffic_policy"),
        )
        self.healthz = self._counter("kubeproxy_proxy_healthz", "Cumulative proxy healthz HTTP status", ("code",))
        self.livez = self._counter("kubeproxy_proxy_livez", "Cumulative proxy livez HTTP status", ("code",))

    def text(self) -> bytes:
        """All of them, ready to be served as ``text/plain; version=0.0.4``."""
        return prometheus_client.generate_latest(self.registry)

    def _histogram(self, name: str, what: str, buckets: tuple[float, ...] = _SYNC_BUCKETS) -> Histogram:
        return Histogram(name, f"[ALPHA] {what}", _FAMILY, buckets=buckets, registry=self.registry)

    def _counter(self, name: str, what: str, labels: tuple[str, ...] = (), only: ProxyMode | None = None) -> Counter:
        return Counter(name, f"[ALPHA] {what}", labels, registry=self._shown(only))

    def _gauge(self, name: str, what: str, labels: tuple[str, ...] = (), only: ProxyMode | None = None) -> Gauge:
        return Gauge(name, f"[ALPHA] {what}", labels, registry=self._shown(only))

    def _shown(self, only: ProxyMode | None) -> CollectorRegistry | None:
        return self.registry if only in (None, self._mode) else None


class _PacketCounts(Collector):
    """What the kernel's named counters have counted, read whenever the metrics are; one that is missing is left out."""

    def collect(self) -> Iterator[CounterMetricFamily]:
        for metric, what, counter in _COUNTS:
            family = CounterMetricFamily(metric, f"[ALPHA] {what}")
            with contextlib.suppress(OSError):
                family.add_metric((), netlink.counted_packets(counter))
            yield family
