"""The cluster that a command asks: one that is there, or a lab that lives as long as the command."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING

import click

from conformance.cli import INTERRUPTED
from conformance.cli.options import KubernetesOptions, kubernetes
from conformance.cluster.effort import during
from conformance.errors import UsageError
from conformance.model.cluster import ProxyMode
from conformance.model.effort import Phase

if TYPE_CHECKING:
    from conformance.lab.cni.choice import Cni
    from conformance.lab.real.choice import Real
    from fixtures.settings import Choice, Settings

_CLEANING = b"nftconform: cleaning up and writing down what was done; a third Ctrl-C ends at once and leaves the rest\n"


@contextmanager
def settled(choice: Choice, *, in_lab: bool, nodes: int, wanted: KubernetesOptions) -> Iterator[Settings]:
    """The settings for ``choice``, checked as far as they can be before anything is created in the cluster."""
    from fixtures.exclusive import exclusive  # noqa: PLC0415  importable only after put_on_path
    from fixtures.permissions import check_permitted  # noqa: PLC0415
    from fixtures.routes import routed  # noqa: PLC0415
    from fixtures.settings import check_reachable, settle  # noqa: PLC0415

    if in_lab and (choice.kubeconfig or choice.context):
        raise UsageError("--lab brings its own cluster.", "Give either --lab or --kubeconfig and --context.")
    if in_lab and choice.terms.keep_on_failure:
        raise UsageError(
            "The lab of --lab goes with the run, and all objects with it.",
            "For --keep-on-failure start one with `nftconform lab up`, and give its --kubeconfig.",
        )
    if not in_lab and any(wanted):
        raise UsageError("--binaries, --proxy-mode, --kube-proxy-config and --cni are for a lab.", "Give --lab, too.")
    choice = replace(choice, lab_network=wanted[-1].words)
    with terminable(), _lab(choice, nodes, *kubernetes(*wanted)) if in_lab else _as_it_is(choice) as there:
        with during(Phase.FACTS):
            settings = settle(there)
            check_permitted(settings)
            check_reachable(settings)
        with exclusive(settings) as alone, routed(alone) as there_too:
            yield there_too


@contextmanager
def _as_it_is(choice: Choice) -> Iterator[Choice]:
    yield choice


@contextmanager
def _lab(choice: Choice, nodes: int, mode: ProxyMode, real: Real | None, cni: Cni | None) -> Iterator[Choice]:
    """A lab for the time of the command, named as any cluster would be."""
    # Only a lab needs Linux and nft.
    from conformance.lab.launch.sites import externals  # noqa: PLC0415
    from conformance.lab.launch.start import running_lab  # noqa: PLC0415

    with ExitStack() as stack:
        with during(Phase.LAB):
            told = partial(click.echo, err=True)
            lab = stack.enter_context(running_lab(nodes=nodes, proxy_mode=mode, real=real, cni=cni, progress=told))
        click.echo(f"lab ready in {lab.seconds:.1f} s: {lab.summary}")
        sites = (*externals(lab.directory, nodes), *choice.externals)
        yield replace(choice, kubeconfig=str(lab.kubeconfig), externals=sites, lab_nodes=nodes)


@contextmanager
def terminable() -> Iterator[None]:
    """A polite SIGTERM (a CI job's time-out) ends the command as Ctrl-C does: cleaned up and written down.

    An impatient second one changes nothing, as all that has its own end; a third ends the command where it is.
    """
    received = 0

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        nonlocal received
        received += 1
        if received == 1:
            raise KeyboardInterrupt
        if received > 2:
            os._exit(INTERRUPTED)
        os.write(2, _CLEANING)  # print is not made for a signal that comes while it prints

    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
