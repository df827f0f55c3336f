"""What a run says of one cell: plain strings and numbers, made to be sent between processes and written down."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from conformance.model.case import Level
from conformance.model.cell import Cell
from conformance.model.verdict import Mismatch, Status


@dataclass(frozen=True, slots=True)
class Result:
    """The judged cell: ``message`` is one sentence, ``block`` the full text of a failure, ``seconds`` the dialling."""

    id: str
    case: str
    area: str
    level: Level
    promise: str
    sources: tuple[str, ...]
    service: str
    client: str
    destination: str
    family: str
    protocol: str
    status: Status
    mismatch: Mismatch = Mismatch.NONE
    message: str = ""
    block: str = ""
    seconds: float = 0.0

    def to_json(self) -> str:
        """One line of JSON."""
        plain = asdict(self) | {
            "level": self.level.value,
            "status": self.status.value,
            "mismatch": self.mismatch.value,
        }
        return json.dumps(plain, sort_keys=True)

    @classmethod
    def from_json(cls, line: str) -> Result:
        """The inverse of `to_json`; ``ValueError`` or ``TypeError`` when the line is none of ours."""
        plain: dict[str, Any] = json.loads(line)
        return cls(
            **plain
            | {
                "level": Level(plain["level"]),
                "status": Status(plain["status"]),
                "mismatch": Mismatch(plain["mismatch"]),
                "sources": tuple(plain["sources"]),
            }
        )


def result(
    cell: Cell,
    status: Status,
    *,
    mismatch: Mismatch = Mismatch.NONE,
    message: str = "",
    block: str = "",
    seconds: float = 0.0,
) -> Result:
    """The result of ``cell``."""
    return Result(
        id=cell.id,
        case=cell.case,
        area=cell.area,
        level=cell.level,
        promise=cell.promise,
        sources=tuple(s.text for s in cell.sources),
        service=cell.service.name,
        client=cell.client.label,
        destination=cell.destination.label,
        family=cell.family.value if cell.family else "",
        protocol=cell.protocol.value if cell.protocol else "",
        status=status,
        mismatch=mismatch,
        message=message,
        block=block,
        seconds=seconds,
    )


def by_area(results: Iterable[Result]) -> dict[str, list[Result]]:
    """The results grouped by area, areas in alphabetical order, results in the order given."""
    grouped: dict[str, list[Result]] = {}
    for one in results:
        grouped.setdefault(one.area, []).append(one)
    return dict(sorted(grouped.items()))
