"""NetworkPolicies before Services: isolation is of pods, by labels, pod ports, and addresses where they are kept."""

from __future__ import annotations

from conformance.model.case import Matrix
from suites.network_policy.egress import EGRESS
from suites.network_policy.entrances import ENTRANCES
from suites.network_policy.ingress import INGRESS

CASES = (*INGRESS, *EGRESS, *ENTRANCES)

MATRICES: tuple[Matrix, ...] = ()
