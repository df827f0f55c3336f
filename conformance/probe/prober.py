"""Dials from many places at once, and again, gently, where asked to."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Self

from conformance.cluster.effort import STOPWATCH, timed
from conformance.cluster.outage import PATIENCE
from conformance.model.addresses import Family
from conformance.model.effort import Phase
from conformance.model.observation import Observation
from conformance.model.place import Place
from conformance.probe.request import DialRequest
from conformance.probe.session import Address
from conformance.probe.station import Station
from conformance.probe.vantage import Vantage

TOTAL_WIDTH = 192
WIDEST, NARROWEST = 64, 8

Asked = Mapping[str, Sequence[DialRequest]]
Seen = tuple[str, Observation]


class Prober:
    """Keeps one agent running at each vantage point; a context manager.

    A vantage point whose stream dies is given one new agent (see `Station`); where that fails, all that was and will be
    asked of it ends in observations with ``trouble``, never in a hang.
    """

    def __init__(
        self,
        vantages: Iterable[Vantage],
        progress: Callable[[int, int], None] | None = None,
        patience: float = PATIENCE,
    ) -> None:
        every = list(vantages)
        width = max(NARROWEST, min(WIDEST, TOTAL_WIDTH // max(1, len(every))))
        self._stations = {vantage.name: Station(vantage, width, patience) for vantage in every}
        self._progress = progress or (lambda _done, _total: None)
        self._controls: dict[str, dict[Family, Address]] = {name: {} for name in self._stations}

    @timed(Phase.AGENTS)
    def __enter__(self) -> Self:
        """Start all agents at once and find each one's control addresses.

        `ApiRefused` when exec is not permitted (401, 403); any other failure loses that vantage point only.
        """
        stop = threading.Event()
        try:
            with ThreadPoolExecutor(max_workers=16, thread_name_prefix="open") as pool, _ending(stop):
                list(pool.map(lambda station: station.open(stop), self._stations.values()))
            self.choose_controls()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, fault: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @property
    def places(self) -> dict[str, Place]:
        """What each agent said of the place it runs in, by vantage point."""
        return {name: station.session.place for name, station in self._stations.items() if station.session}

    @property
    def vantages(self) -> list[Vantage]:
        """The places to dial from."""
        return [station.vantage for station in self._stations.values()]

    @property
    def lost(self) -> dict[str, str]:
        """Why a vantage point cannot dial any more, by its name."""
        return {name: station.lost for name, station in self._stations.items() if station.lost}

    def control(self, vantage: str, family: Family) -> Address | None:
        """The control address of a vantage point: of this family if one answered, else of the other, or None."""
        found = self._controls[vantage]
        return found.get(family) or next(iter(found.values()), None)

    def sweep(self, asked: Asked) -> Iterator[Seen]:
        """Dial everything from everywhere at once, as fast as the widths allow; (key, observation) as they finish.

        Keys are the callers' own and must differ only where the caller wants to tell them apart.
        """
        return self._everywhere(asked, len)

    def patiently(self, asked: Asked, answered: Collection[str] = ()) -> Iterator[Seen]:
        """Ask each again: one at a time from each place, paced, with a longer time-out, controls just around it.

        Those whose key is among ``answered`` got nothing but answers: no ICMP rate limit is in their way, and hundreds
        of dials that are to be counted need no pace.
        """
        gentle = {name: [r.patient(paced=r.key not in answered) for r in requests] for name, requests in asked.items()}
        return self._everywhere(gentle, lambda _: 1)

    @timed(Phase.CLEAN_UP)
    def close(self) -> None:
        """End all agents."""
        with ThreadPoolExecutor(max_workers=16, thread_name_prefix="close") as pool:
            list(pool.map(Station.close, self._stations.values()))

    def choose_controls(self) -> None:
        """Of each vantage point's candidates, the first of a family at which an agent answers; to be chosen anew when a
        node is gone.
        """
        asked = {
            name: [DialRequest(f"{ip} {port}", ip, port, timeout=2.0) for ip, port in station.vantage.controls]
            for name, station in self._stations.items()
        }
        for name, requests in asked.items():
            prefixed = [replace(request, key=f"{name} {request.key}") for request in requests]
            asked[name] = prefixed
        good = {
            key for key, seen in self._everywhere(asked, len, quiet=True) if any(dial.endpoint for dial in seen.dials)
        }
        for name, requests in asked.items():
            self._controls[name].clear()
            for request in requests:
                if request.key in good:
                    self._controls[name].setdefault(request.family, (request.ip, request.port))

    def _everywhere(
        self, asked: Asked, window: Callable[[Sequence[DialRequest]], int], *, quiet: bool = False
    ) -> Iterator[Seen]:
        results: queue.SimpleQueue[Seen] = queue.SimpleQueue()
        total = sum(len(requests) for requests in asked.values())
        stop = threading.Event()
        threads = [
            threading.Thread(
                target=self._dial, args=(name, requests, max(1, window(requests)), results, stop), name=f"dial {name}"
            )
            for name, requests in asked.items()
            if requests
        ]
        for thread in threads:
            thread.start()
        try:
            for done in range(1, total + 1):
                key, seen = results.get()
                STOPWATCH.count("dials", len(seen.dials))
                yield key, seen
                if not quiet:
                    self._progress(done, total)
        finally:
            stop.set()
            for thread in threads:
                thread.join()

    def _dial(
        self,
        name: str,
        requests: Sequence[DialRequest],
        window: int,
        results: queue.SimpleQueue[Seen],
        stop: threading.Event,
    ) -> None:
        """One vantage point's share; puts exactly one observation for each request, whatever happens."""

        def put(request: DialRequest, seen: Observation) -> None:
            results.put((request.key, seen))

        station = self._stations.get(name)
        if station:
            station.dial(requests, window, lambda request: self.control(name, request.family), put, stop)
        else:
            for request in requests:
                put(request, Observation(trouble=f"no place {name}"))


@contextmanager
def _ending(stop: threading.Event) -> Iterator[None]:
    """Set ``stop`` when the block fails or is interrupted: its threads are waited for behind it."""
    try:
        yield
    except BaseException:
        stop.set()
        raise


def confirmed(first: Observation, second: Observation) -> Observation:
    """What was seen when a cell was asked at all and then patiently; the second round's controls and trouble count."""
    return replace(second, dials=first.dials, again=second.dials, seconds=first.seconds + second.seconds)
