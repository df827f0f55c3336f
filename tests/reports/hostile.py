"""A run in which every text is somebody's attack, and one of the same shape in which none is."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any

from conformance.model.result import Excuse, Variant
from conformance.model.source import Reason, Source, SourceKind
from conformance.model.verdict import Mismatch, Status
from conformance.results.lines import Objects
from conformance.results.run import Run
from tests.reports.runs import HEADER, a_result, a_run, an_account, an_evidence

HOSTILE = (
    "\"'`</script></style></pre><!--]]><img src=x onerror='document.title=1'><b onclick=x>{{ 7*7 }}{% raw %}&lt;"
    "\x00\x1b[31m\u202e\u2028</details><script>document.title=1</script>"
)
HARMLESS = "harmless"


def a_run_of(text: str) -> Run:
    """Every text in it is ``text`` and a number; links are of three schemes by turns."""
    numbers = itertools.count()
    links = itertools.cycle(("https://example.org/", "javascript:document.title=1//", "data:text/html,"))
    account = replace(an_account(text), reasons=(Reason("r", Source(SourceKind.DOC, "s", "l")),) * 2)
    excuse = Excuse("l", "s", "e")
    results = [
        replace(
            a_result(i, status, account=account),
            mismatch=list(Mismatch)[i],
            issue=excuse,
            variant=Variant("t", "i", "e", True, ("a", "b")),
            divergence="d",
            evidence="e",
            objects=("one",),
        )
        for i, status in enumerate(Status)
    ]
    run = a_run(_poisoned(results, text, numbers, links), header=_poisoned(HEADER, text, numbers, links))
    objects = ({"kind": text, text: [text, {"a": text}], "spec": "line\nline"},)
    # Every cell names the same Service by the number that its text has got.
    named = {name: Objects(name, objects) for one in run.results for name in one.objects}
    return replace(run, objects=named, evidence={one.id: an_evidence(one.id, text) for one in run.results})


def _poisoned(value: Any, text: str, numbers: Iterator[int], links: Iterator[str]) -> Any:  # noqa: ANN401  any of a run
    if isinstance(value, Source):
        return replace(value, text=f"{text}{next(numbers)}", url=f"{next(links)}{text}")
    if isinstance(value, Excuse):
        return Excuse(f"{next(links)}{text}", text, text)
    if is_dataclass(value) and not isinstance(value, type):
        given = {f.name: _poisoned(getattr(value, f.name), text, numbers, links) for f in fields(value)}
        return replace(value, **given)
    if isinstance(value, Mapping):
        return {f"{k}{text}": _poisoned(v, text, numbers, links) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_poisoned(v, text, numbers, links) for v in value)
    return f"{text}{next(numbers)}" if isinstance(value, str) else value
