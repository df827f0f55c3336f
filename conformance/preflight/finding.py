"""What the preflight finds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from conformance.model.source import Source


class Severity(Enum):
    """How much a finding weighs, the heaviest first."""

    BLOCKER = "blocker"  # after the switch something does not work
    WARNING = "warning"  # something works differently; whether anybody minds, the API does not tell
    UNKNOWN = "unknown"  # it could not be learned, and there may be a blocker behind it
    NOTE = "note"  # good to know


class Scope(Enum):
    """What a finding is about."""

    CLUSTER = "cluster"
    NODE = "node"
    SERVICE = "service"


class Kind(Enum):
    """Each kind of finding; `conformance.preflight.rules.RULES` says what it means."""

    REPLACED = "replaced"
    REPLACED_BESIDE = "replaced-beside"
    MODE_UNKNOWN = "mode-unknown"
    ALREADY = "already-nftables"
    MIXED_MODES = "mixed-modes"
    NOT_TAKEN_UP = "mode-not-taken-up"
    MODE_BY_DEFAULT = "mode-by-default"
    VERSION_TOO_OLD = "version-too-old"
    VERSION_BETA = "version-beta"
    VERSION_UNKNOWN = "version-unknown"
    IPVS_DEPRECATED = "ipvs-deprecated"
    NODES_UNKNOWN = "nodes-unknown"
    WINDOWS = "windows-node"
    KERNEL_TOO_OLD = "kernel-too-old"
    KERNEL_UNKNOWN = "kernel-unknown"
    CONNTRACK_INVALID = "conntrack-invalid"
    NFT_TOO_OLD = "nft-too-old"
    NFT_UNKNOWN = "nft-unknown"
    FIREWALL_DROPS = "firewall-drops"
    FIREWALL_UNKNOWN = "firewall-unknown"
    COMPONENT = "component"
    COMPONENT_UNKNOWN = "component-unknown"
    BUG = "bug"
    KNOWN_ISSUE = "known-issue"
    CONFIGURATION_UNKNOWN = "configuration-unknown"
    OPTION_IGNORED = "option-ignored"
    IPVS_SCHEDULER = "ipvs-scheduler"
    IPVS_CONNECTIONS = "ipvs-connections"
    IPVS_ADDRESSES = "ipvs-addresses"
    SERVICES_UNKNOWN = "services-unknown"
    SERVICE_UNREADABLE = "service-unreadable"
    NODE_PORT_LOCALHOST = "node-port-localhost"
    NODE_PORT_ADDRESSES = "node-port-addresses"
    HEALTH_CHECK_NODE_PORT = "health-check-node-port"
    AFFINITY = "affinity-forgotten"
    AFFINITY_MEMORY = "affinity-memory"
    CLUSTER_IP_REJECTS = "cluster-ip-rejects"
    LEFTOVERS = "leftovers"
    NOT_REPAIRED = "rules-not-repaired"
    CHAINS = "kube-chains-gone"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know before the switch, about the node or Service ``object`` (empty: about the cluster).

    ``evidence`` is what was seen and ``learned`` where; ``remedy`` is what to do, ``source`` where it is written.
    """

    kind: Kind
    severity: Severity
    scope: Scope
    object: str
    evidence: str
    learned: str
    remedy: str
    source: Source


def accepted(finding: Finding, kinds: frozenset[Kind]) -> Finding:
    """The finding as a note where somebody has looked at its kind; a blocker stays one."""
    if finding.kind not in kinds or finding.severity in {Severity.BLOCKER, Severity.NOTE}:
        return finding
    return replace(finding, severity=Severity.NOTE, evidence=f"{finding.evidence} (accepted)")
