"""Times as the Kubernetes API writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> str:
    """The present as ``metav1.Time``: UTC, whole seconds."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def now_micro() -> str:
    """The present as ``metav1.MicroTime``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """A ``metav1.Time`` or ``MicroTime``; ``ValueError``."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
