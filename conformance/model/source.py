"""What a promise or a reason is taken from, so that a reader can check it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class SourceKind(Enum):
    """Where a citation points."""

    API = "api"  # a field of the Kubernetes API, e.g. service.spec.externalTrafficPolicy
    KEP = "kep"  # a Kubernetes enhancement proposal, by number
    DOC = "doc"  # a page of the official documentation
    CODE = "code"  # a file of kube-proxy or of the kernel
    RFC = "rfc"


@dataclass(frozen=True, slots=True)
class Source:
    """One citation: ``text`` is what is shown, ``url`` where it can be read (empty for API fields)."""

    kind: SourceKind
    text: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One step of an argument, in words a network engineer reads, with its citation."""

    text: str
    source: Source
