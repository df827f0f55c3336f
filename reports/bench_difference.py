"""Two benches compared, as text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from conformance.measured.comparing import Compared, Comparison
from conformance.measured.statistics import Difference, Interval
from conformance.model.printable import printable
from reports.bench_tables import ranged, size
from reports.markdown import plain, row

MOST = 20
_COLUMNS = ("Services", "place", "what", "quantile", "after / before", "by the loopback", "")
_WORDS = {Difference.HIGHER: "slower", Difference.LOWER: "faster", Difference.NONE: "="}


def text(comparison: Comparison) -> str:
    """What differs, and how many series do not."""
    lines = [_verdict(comparison), *(f"note: {trouble}" for trouble in _troubles(comparison))]
    for one in comparison.rows:
        if one.difference is not Difference.NONE:
            services, place, what, level, ratio, _, word = map(printable, _cells(one))
            named = " ".join(filter(None, (place, what, level)))
            lines.append(f"{word:7} {services:>7} {named}: {ratio}")
    return "\n".join((*lines, *_missing(comparison))) + "\n"


def markdown(comparison: Comparison) -> str:
    """Every series."""
    lines = [f"**{plain(_verdict(comparison))}**\n", *(f"{plain(t)}\n" for t in _troubles(comparison))]
    lines += [row(*_COLUMNS), row("---", "---", "---", "---:", "---:", "---:", "---")]
    lines += [row(*map(plain, _cells(one))) for one in comparison.rows]
    return "\n".join((*lines, "", *map(plain, _missing(comparison)))) + "\n"


def as_json(comparison: Comparison) -> str:
    """Every series as an object."""
    rows = [
        {
            "place": one.place,
            "services": one.rung[0],
            "endpoints": one.rung[1],
            "what": one.what,
            "quantile": one.level,
            "ratio": _numbers(one.ratio),
            "by_machine": _numbers(one.by_machine),
            "difference": one.difference.value,
        }
        for one in comparison.rows
    ]
    missing = {"only_before": comparison.only_before, "only_after": comparison.only_after}
    return json.dumps({"rows": rows, **missing, "troubles": list(_troubles(comparison))}, indent=2) + "\n"


FORMATS: Mapping[str, Callable[[Comparison], str]] = {"text": text, "markdown": markdown, "json": as_json}
"""By the name that ``nftconform diff --format`` takes."""


def _verdict(comparison: Comparison) -> str:
    counts = {word: sum(_WORDS[one.difference] == word for one in comparison.rows) for word in _WORDS.values()}
    return (
        f"{len(comparison.rows)} quantiles compared: {counts['slower']} slower, {counts['faster']} faster, "
        f"{counts['=']} without a difference that the noise lets one see"
    )


def _troubles(comparison: Comparison) -> Iterator[str]:
    for name, bench in (("before", comparison.before), ("after", comparison.after)):
        yield from (f"{name}: {trouble}" for trouble in bench.troubles)


def _missing(comparison: Comparison) -> Iterator[str]:
    for word, names in (("before", comparison.only_before), ("after", comparison.only_after)):
        if names:
            more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
            yield printable(f"only {word}: {', '.join(names[:MOST])}{more}")


def _cells(one: Compared) -> tuple[str, ...]:
    level = f"p{round(100 * one.level)}"
    return size(one.rung), one.place, one.what, level, ranged(one.ratio), ranged(one.by_machine), _WORDS[one.difference]


def _numbers(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.value, interval.low, interval.high]
