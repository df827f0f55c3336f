"""Each moment counts for one phase, and what processes have cost adds up."""

from __future__ import annotations

import threading

import pytest

from conformance.cluster.effort import Stopwatch
from conformance.model.effort import Effort, Phase
from conformance.results.codec import decode, encode


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_innermost_phase_has_the_time() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    clock.now += 7  # nobody's
    with watch.during(Phase.ARRANGE):
        clock.now += 1
        with watch.during(Phase.CONVERGE):
            clock.now += 2
        clock.now += 4
    clock.now += 8
    with watch.during(Phase.CONVERGE):
        clock.now += 16
    assert watch.effort().phases == {Phase.ARRANGE: 5.0, Phase.CONVERGE: 18.0}


def test_of_a_phase_the_processor_time_is_counted_as_well() -> None:
    clock, processor = Clock(), Clock()
    watch = Stopwatch(clock, processor)
    processor.now += 3  # nobody's
    with watch.during(Phase.ARRANGE):
        clock.now += 5
        processor.now += 1
        with watch.during(Phase.CONVERGE):
            processor.now += 0.5
    assert watch.effort().busy == {Phase.ARRANGE: 1.0, Phase.CONVERGE: 0.5}
    assert watch.effort().phases == {Phase.ARRANGE: 5.0, Phase.CONVERGE: 0.0}


def test_what_turns_out_to_have_been_a_wait_is_moved() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    with watch.during(Phase.DIAL):
        clock.now += 9
        watch.moved(6, Phase.WAIT)
    assert watch.effort().phases == {Phase.DIAL: 3.0, Phase.WAIT: 6.0}


def test_an_exception_that_skips_a_phase_ends_it_too() -> None:
    clock = Clock()
    watch = Stopwatch(clock)
    left_open = watch.during(Phase.DIAL)
    with pytest.raises(KeyError), watch.during(Phase.ARRANGE):
        left_open.__enter__()
        raise KeyError
    clock.now += 5
    assert watch.effort().phases.get(Phase.DIAL, 0) == 0


def test_threads_count_work_and_no_time() -> None:
    clock = Clock()
    watch = Stopwatch(clock)

    def work() -> None:
        with watch.during(Phase.PODS):
            watch.count("requests")
            watch.count("dials", 5)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    effort = watch.effort()
    assert (effort.requests, effort.dials, effort.phases) == (10, 50, {})
    assert effort.cpu > 0
    assert effort.peak > 1


def test_processes_add_up_and_travel() -> None:
    one = Effort({Phase.DIAL: 1.5, Phase.JUDGE: 0.25}, 1, 10, 20, 3, 2.0, 80.0, {Phase.JUDGE: 0.25})
    two = Effort({Phase.DIAL: 2.0, Phase.PODS: 1.0}, 1, 5, 6, 7, 1.0, 90.0, {Phase.PODS: 0.5, Phase.JUDGE: 0.5})
    both = one + two
    assert both.phases == {Phase.PODS: 1.0, Phase.DIAL: 3.5, Phase.JUDGE: 0.25}
    assert both.busy == {Phase.PODS: 0.5, Phase.JUDGE: 0.75}
    assert (both.processes, both.dials, both.requests, both.streams, both.cpu, both.peak) == (2, 15, 26, 10, 3.0, 90.0)
    assert decode(Effort, encode(both), "effort") == both
