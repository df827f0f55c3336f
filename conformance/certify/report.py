"""The conformance report, in the manner of Gateway API's: what a vendor publishes of a run.

As YAML its keys are these names in camelCase; ``reports/conformance.schema.json`` says what each may hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from conformance.certify.catalogue import Claim
from conformance.model.case import Profile

API_VERSION = "nftconform/v1"
KIND = "ConformanceReport"


class Outcome(Enum):
    """What a profile comes to; `outcome_of` derives it from the numbers."""

    SUCCESS = "success"
    PARTIAL = "partial"
    FAILURE = "failure"


@dataclass(frozen=True, slots=True)
class Implementation:
    """What was tested, by whom it is made, and whom to ask about it."""

    organization: str
    project: str
    url: str
    version: str
    contact: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Cluster:
    """The facts that matter to a reader; ``unknown`` where the run could not learn one. ``kernels`` each once."""

    kubernetes_version: str
    proxy_mode: str
    families: tuple[str, ...]
    nodes: int
    kernels: tuple[str, ...]
    cni: str
    cni_version: str


@dataclass(frozen=True, slots=True)
class Tested:
    """The run: ``started`` and ``ended`` as its file has them, ``sha256`` of that file; no ``ended``: truncated."""

    profile: Profile
    started: str
    cells: int
    sha256: str
    ended: str = ""


@dataclass(frozen=True, slots=True)
class Statistics:
    """Cases, each counted once; ``excused`` by a known issue, ``unsupported`` by what the cluster is."""

    passed: int
    failed: int
    excused: int
    unsupported: int
    skipped: int
    unknown: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.passed + self.failed + self.excused + self.unsupported + self.skipped + self.unknown


@dataclass(frozen=True, slots=True)
class Feature:
    """What the cluster lacks, in the run's words, and the cases that nobody could ask for it."""

    feature: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A known upstream issue, and the cases that it excuses."""

    link: str
    summary: str
    cases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProfileReport:
    """One profile; every case that has not passed is in exactly one of the lists."""

    name: Claim
    result: Outcome
    statistics: Statistics
    failed_cases: tuple[str, ...] = ()
    skipped_cases: tuple[str, ...] = ()
    unknown_cases: tuple[str, ...] = ()
    unsupported_features: tuple[Feature, ...] = ()
    known_issues: tuple[Known, ...] = ()

    @property
    def excused(self) -> tuple[str, ...]:
        """The cases that known issues excuse."""
        return tuple(case for issue in self.known_issues for case in issue.cases)

    @property
    def unsupported(self) -> tuple[str, ...]:
        """The cases of features that the cluster lacks."""
        return tuple(case for feature in self.unsupported_features for case in feature.cases)


@dataclass(frozen=True, slots=True)
class Report:
    """The whole document; ``date`` is when it was made (UTC, ISO 8601), ``kit_version`` what ran."""

    api_version: str
    kind: str
    date: str
    kit_version: str
    implementation: Implementation
    cluster: Cluster
    run: Tested
    profiles: tuple[ProfileReport, ...]


def folder_of(one: Implementation) -> str:
    """Where its report is published, below ``reports/published``: ``organization-project/version``."""
    return f"{_slug(one.organization)}-{_slug(one.project)}/{_slug(one.version)}"


def _slug(text: str) -> str:
    return re.sub("[^a-z0-9._+]+", "-", text.lower()).strip("-.") or "unnamed"


def outcome_of(counted: Statistics) -> Outcome:
    """Failure if anything failed; success if something passed and nothing is skipped or unknown; else partial."""
    if counted.failed:
        return Outcome.FAILURE
    return Outcome.SUCCESS if counted.passed and not counted.skipped and not counted.unknown else Outcome.PARTIAL
