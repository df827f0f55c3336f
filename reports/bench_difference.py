"""Two benches compared, as text, Markdown and JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping

from conformance.measured.comparing import Compared, Comparison, Lost
from conformance.measured.statistics import Difference, Interval
from conformance.model.printable import printable
from reports.bench_tables import ranged, size
from reports.markdown import plain, row

MOST = 20
_COLUMNS = ("Services", "place", "what", "quantile", "after / before", "by the loopback", "")
_LOST_COLUMNS = ("Services", "place", "what", "rounds with losses before", "after", "")
_WORDS = {Difference.HIGHER: "slower", Difference.LOWER: "faster", Difference.NONE: "="}
_LOST_WORDS = {Difference.HIGHER: "lost more", Difference.LOWER: "lost less", Difference.NONE: "="}


def text(comparison: Comparison) -> str:
    """What differs, and of how much nothing can be said."""
    lines = [_verdict(comparison), *(f"note: {trouble}" for trouble in _troubles(comparison))]
    for one in comparison.rows:
        if one.difference is not Difference.NONE:
            services, place, what, level, ratio, _, word = map(printable, _cells(one))
            named = " ".join(filter(None, (place, what, level)))
            lines.append(f"{word:9} {services:>7} {named}: {ratio}")
    for lost in comparison.lost:
        if lost.difference is not Difference.NONE:
            services, place, what, before, after, word = map(printable, _lost_cells(lost))
            lines.append(
                f"{word:9} {services:>7} {' '.join(filter(None, (place, what)))}: in {after}; before in {before}"
            )
    return "\n".join((*lines, *_missing(comparison))) + "\n"


def markdown(comparison: Comparison) -> str:
    """Every series, and in how many rounds something was lost, where anything was."""
    lines = [f"**{plain(_verdict(comparison))}**\n", *(f"{plain(t)}\n" for t in _troubles(comparison))]
    lines += [row(*_COLUMNS), row("---", "---", "---", "---:", "---:", "---:", "---")]
    lines += [row(*map(plain, _cells(one))) for one in comparison.rows]
    lost = [one for one in comparison.lost if one.before.touched or one.after.touched]
    if lost:
        lines += ["", row(*_LOST_COLUMNS), row("---", "---", "---", "---:", "---:", "---")]
        lines += [row(*map(plain, _lost_cells(one))) for one in lost]
    return "\n".join((*lines, "", *map(plain, _missing(comparison)))) + "\n"


def as_json(comparison: Comparison) -> str:
    """Every series as an object, and in how many rounds of how many something was lost."""
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
    lost = [
        {
            "place": one.place,
            "services": one.rung[0],
            "endpoints": one.rung[1],
            "what": one.what,
            "before": [one.before.touched, one.before.every],
            "after": [one.after.touched, one.after.every],
            "difference": one.difference.value,
        }
        for one in comparison.lost
    ]
    document = {
        "rows": rows,
        "rounds_with_losses": lost,
        "only_before": comparison.only_before,
        "only_after": comparison.only_after,
        "troubles": list(_troubles(comparison)),
    }
    return json.dumps(document, indent=2) + "\n"


FORMATS: Mapping[str, Callable[[Comparison], str]] = {"text": text, "markdown": markdown, "json": as_json}
"""By the name that ``nftconform diff --format`` takes."""


def _verdict(comparison: Comparison) -> str:
    counts = {word: sum(_WORDS[one.difference] == word for one in comparison.rows) for word in _WORDS.values()}
    more = sum(one.difference is Difference.HIGHER for one in comparison.lost)
    return (
        f"{len(comparison.rows)} quantiles compared: {counts['slower']} slower, {counts['faster']} faster, "
        f"{counts['=']} without a difference that the noise lets one see; of {len(comparison.lost)} kinds of dials and "
        f"changes {more or 'none'} lost more often"
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


def _lost_cells(one: Lost) -> tuple[str, ...]:
    before, after = (f"{each.touched} of {each.every}" for each in (one.before, one.after))
    return size(one.rung), one.place, one.what, before, after, _LOST_WORDS[one.difference]


def _numbers(interval: Interval | None) -> list[float] | None:
    return None if interval is None else [interval.value, interval.low, interval.high]
