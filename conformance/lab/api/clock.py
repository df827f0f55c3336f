"""The time as the API writes it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


def now(seconds: float = 0.0) -> str:
    """``metav1.Time`` of this moment, or of so many seconds from now."""
    return (datetime.now(UTC) + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")
