"""All trials, some side by side, each told as it ends."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from conformance.judge.kills import Finding, Kill, kill
from conformance.lab.faults.board import Switch
from conformance.model.verdict import Status
from conformance.selftest.trial import SHORT, Trial, attempt
from conformance.spec.faults import Fault


@dataclass(frozen=True, slots=True)
class Campaign:
    """``catchers``: of every fault to try the cases that claim it; ``matrix``: cells asked under each of them."""

    catchers: Mapping[Fault, Sequence[str]]
    matrix: Sequence[str]
    output: Path
    labs: int

    def unfaulted(self, *, whole: bool) -> Trial:
        """The same questions, or all that there are, without a fault: nothing may fail."""
        asked = dict.fromkeys((*(case for cases in self.catchers.values() for case in cases), *self.matrix))
        workers = ("-n", "2") if self.labs > 1 else ()
        return attempt((), () if whole else tuple(asked), self.output / "unfaulted", threading.Event(), *workers)

    def kills(self) -> Iterator[Kill]:
        """Every fault's row, in the order in which the trials end; leaving early ends those under way."""
        stop = threading.Event()
        with ThreadPoolExecutor(self.labs) as pool:
            under_way = {pool.submit(self._try, fault, stop) for fault in self.catchers}
            try:
                yield from (done.result() for done in _as_they_end(under_way))
            finally:
                stop.set()
                for future in under_way:
                    future.cancel()

    def _try(self, fault: Fault, stop: threading.Event) -> Kill:
        claiming = self.catchers[fault]
        if not claiming:
            return Kill(fault, {}, trouble="no case claims to catch it")
        output = self.output / fault.word
        trial = attempt((Switch(fault.name),), (*claiming, *self.matrix), output, stop, *SHORT)
        if trial.trouble:
            findings = dict.fromkeys(claiming, Finding.NOT_ASKED)
            return Kill(fault, findings, seconds=trial.seconds, trouble=trial.trouble)
        return kill(fault, claiming, trial.told, trial.seconds)


def _as_they_end(under_way: set[Future[Kill]]) -> Iterator[Future[Kill]]:
    # Copied: as_completed forgets those that it has given away, and the caller may want to cancel the rest.
    return as_completed(set(under_way))


def broken(trial: Trial) -> tuple[str, ...]:
    """The cells of an unfaulted trial that did not pass."""
    fine = (Status.PASSED, Status.RECORDED, Status.NOT_APPLICABLE)
    return tuple(one.cell for one in trial.told if one.status not in fine)
