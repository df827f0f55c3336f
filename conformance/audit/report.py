"""Collects findings of one family on one node, each once."""

from __future__ import annotations

from conformance.audit.finding import Finding, Kind
from conformance.audit.place import Place
from conformance.model.source import Source


class Report:
    """The findings so far, in the order found; ``blamed`` are the objects that they are about."""

    def __init__(self, place: Place) -> None:
        self.blamed: set[str] = set()
        self._place = place
        self._found: dict[tuple[Kind, str, str, str], Finding] = {}

    def add(self, kind: Kind, about: str, where: str, there: str, expected: str, source: Source) -> None:
        """One more, unless the same was said of the same object: one altered chain is met on several ways."""
        finding = Finding(self._place.node.name, self._place.family, kind, about, where, there, expected, source)
        self._found.setdefault((kind, about or where, there, expected), finding)
        self.blamed.add(about)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All of them."""
        return tuple(self._found.values())
