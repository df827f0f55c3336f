"""Faults of the lab's NetworkPolicy engine."""

from conformance.lab.faults.policy.flaws import Flaws as Flaws
