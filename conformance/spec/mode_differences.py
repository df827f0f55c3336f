"""What kube-proxy's modes do differently, as its documentation says."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import cache
from importlib import resources

from conformance.model.cluster import ProxyMode
from conformance.spec.known_issues import begins

_FILE = "mode_differences.toml"


@dataclass(frozen=True, slots=True)
class Difference:
    """One of them: ``cases`` (IDs or their first parts) and kinds of ``destinations`` show it; none: no run can.

    ``due``, where there are two, are what has to happen at those destinations in one mode and in the other.
    """

    id: str
    between: tuple[ProxyMode, ...]
    sentence: str
    source: str
    cases: tuple[str, ...] = ()
    destinations: tuple[str, ...] = ()
    due: frozenset[str] = frozenset()

    def tells(self, one: ProxyMode | None, other: ProxyMode | None) -> bool:
        """Whether it lies between these two modes."""
        return one is not other and one in self.between and other in self.between

    def shows(self, cell_id: str, destination: str, due: Collection[str]) -> bool:
        """Whether the cell may show it: its destination has this label, and in the two modes this is ``due``."""
        kinds = any(destination == kind or destination.startswith(f"{kind}-") for kind in self.destinations)
        meant = not self.due or self.due == set(due)
        return (kinds and meant) or any(begins(cell_id, case) for case in self.cases)


@cache
def table() -> tuple[Difference, ...]:
    """All of them, in the table's order."""
    plain = tomllib.loads(resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    return tuple(
        Difference(
            id=name,
            between=tuple(ProxyMode(mode) for mode in one["between"]),
            sentence=one["sentence"],
            source=one["source"],
            cases=tuple(one.get("cases", ())),
            destinations=tuple(one.get("destinations", ())),
            due=frozenset(one.get("due", ())),
        )
        for name, one in plain.items()
    )


def between(one: ProxyMode | None, other: ProxyMode | None, every: Iterable[Difference]) -> tuple[Difference, ...]:
    """Those of ``every`` that lie between these two modes."""
    return tuple(each for each in every if each.tells(one, other))
