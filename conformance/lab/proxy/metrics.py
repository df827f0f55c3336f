"""kube-proxy's own metrics under their own names, in Prometheus' text format."""

from __future__ import annotations

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

_SYNC_BUCKETS = tuple(0.001 * 2**i for i in range(15))
_PROGRAMMING_BUCKETS = (0, 0.25, 0.5, *range(1, 60), *range(60, 120, 5), *range(120, 301, 30))
_FAMILY = ("ip_family",)


class Metrics:
    """One process's metrics; ``ip_family`` is ``IPv4`` or ``IPv6``."""

    def __init__(self) -> None:
        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
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
        self.sync_failures = self._counter(
            f"{sync}_nftables_sync_failures", "Cumulative proxy nftables sync failures", _FAMILY
        )
        self.cleanup_failures = self._counter(
            f"{sync}_nftables_cleanup_failures", "Cumulative proxy nftables cleanup failures", _FAMILY
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

    def _counter(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(name, f"[ALPHA] {what}", labels, registry=self.registry)

    def _gauge(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(name, f"[ALPHA] {what}", labels, registry=self.registry)
