"""Times as the Kubernetes API writes them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now(seconds: float = 0.0) -> str:
    """``metav1.Time`` (UTC, whole seconds) of this moment, or of so many seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def now_micro() -> str:
    """The present as ``metav1.MicroTime``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse(text: str) -> datetime:
    """A ``metav1.Time`` or ``MicroTime``; ``ValueError``."""
    return datetime.fromisoformat(text)
