"""``nftconform bench``: first packets and changes, measured; proxy modes side by side on labs, or a cluster."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance import __version__
from conformance.arrange.terms import Terms
from conformance.cli.bench_own import SIZES, measure_scale, measure_self
from conformance.cli.plotting import check_installed
from conformance.cli.terms import terms_options
from conformance.cli.there import terminable
from conformance.errors import KitError, UsageError
from conformance.kit import put_on_path
from conformance.measured.lines import SCHEMA, Footer, Header, Place
from conformance.model.addresses import Family
from conformance.model.cluster import ProxyMode

if TYPE_CHECKING:
    from conformance.bench.running import Site, Wish
    from conformance.cluster.api import Cluster
    from fixtures.settings import Choice

Block = Callable[[], AbstractContextManager[None]]

PARTIAL = 2
_NODES = 3
"""That are used where nothing else is said: each has an agent of its own, and is asked after every change."""
MOST_SERVICES, MOST_ENDPOINTS = 50_000, 500
_REFERENCE = "nftconform/lab"
_MODES = (ProxyMode.NFTABLES, ProxyMode.IPTABLES)


class _Numbers(click.ParamType[tuple[int, ...]]):
    """``100,1000,5000``."""

    name = "N,..."

    def __init__(self, least: int, most: int) -> None:
        self._range = range(least, most + 1)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, ...]:
        """As click asks it."""
        if isinstance(value, tuple):
            return value
        words = str(value).split(",")
        if not all(word.isdecimal() and int(word) in self._range for word in words):
            self.fail(f"{value!r} is not numbers from {self._range[0]} to {self._range[-1]}.", param, ctx)
        return tuple(sorted({int(word) for word in words}))


@click.command()
@click.option("--kubeconfig", type=click.Path(path_type=Path), help="The cluster [$KUBECONFIG, ~/.kube/config].")
@click.option("--context", help="The kubeconfig's context [its current one].")
@click.option("--lab", "in_lab", is_flag=True, help="Bring up labs, one for each of --modes, and measure them in turn.")
@click.option("--modes", default="nftables,iptables", show_default=True, help="Of the labs' kube-proxies.")
@click.option("--nodes", default=2, show_default=True, type=click.IntRange(1, 16), help="Nodes of each lab.")
@click.option("--binaries", type=click.Path(path_type=Path), metavar="DIR", help="Labs of the real Kubernetes in DIR.")
@click.option(
    "--services",
    type=_Numbers(2, MOST_SERVICES),
    default="100,1000",
    show_default=True,
    help="The ladder: how many Services there are.",
)
@click.option(
    "--endpoints",
    type=_Numbers(1, MOST_ENDPOINTS),
    default="1",
    show_default=True,
    help="How many endpoints each of them has; a ladder for each number.",
)
@click.option("--rounds", default=100, show_default=True, type=click.IntRange(1), help="Rounds of dials a rung.")
@click.option("--dials", default=10, show_default=True, type=click.IntRange(1), help="Dials of each kind a round.")
@click.option("--changes", default=20, show_default=True, type=click.IntRange(0), help="Timed changes of each kind.")
@click.option(
    "--rate",
    default=100.0,
    show_default=True,
    type=click.FloatRange(1),
    help="Changes a second amid which some are timed.",
)
@click.option(
    "--load", "load_seconds", default=3.0, show_default=True, type=click.FloatRange(0), help="Seconds of each load."
)
@click.option(
    "--self", "of_self", is_flag=True, help="Measure the kit instead: its dials beside other ways, and whole runs."
)
@click.option("--no-runs", is_flag=True, help="With --self: its dials only.")
@click.option(
    "--scale", is_flag=True, help="Measure the kit's pure parts instead, up to 1,000 nodes and 10,000 Services."
)
@click.option("--family", type=click.Choice([f.value for f in Family]), help="[default: the cluster's first]")
@click.option("--seed", type=int, help="Of all that is drawn.  [default: drawn]")
@click.option("--agent-image", help="The image with python3 that pods run.")
@terms_options("max_nodes", "node_selector", "toleration", "registry_mirror", "image_pull_secret", "disruptive")
@click.option("--output", type=click.Path(path_type=Path), default=Path("reports/out"), show_default=True)
def bench(
    kubeconfig: Path | None,
    context: str | None,
    in_lab: bool,
    modes: str,
    nodes: int,
    binaries: Path | None,
    services: tuple[int, ...],
    endpoints: tuple[int, ...],
    rounds: int,
    dials: int,
    changes: int,
    rate: float,
    load_seconds: float,
    of_self: bool,
    no_runs: bool,
    scale: bool,
    family: str | None,
    seed: int | None,
    agent_image: str | None,
    terms: Terms,
    output: Path,
) -> int:
    """Measure what Services cost: latency of first packets, and how soon nodes act on changes.

    Writes bench.jsonl, as it goes on, and bench.html. kube-proxy is restarted, to time its full sync, on labs, and
    elsewhere with --disruptive.

    Exit codes: 0 all was measured, 2 not all (interrupted, or a fault on the way), 3 usage or environment.
    """
    put_on_path()
    if scale:
        return measure_scale(SIZES, output)
    if not of_self:
        check_installed()
    if in_lab and (kubeconfig or context):
        raise UsageError("--lab brings its own cluster.", "Give either --lab or --kubeconfig and --context.")
    if binaries and not in_lab:
        raise UsageError("--binaries is for a lab.", "Give --lab, too.")
    # Importable only after put_on_path.
    from conformance.bench.running import Wish  # noqa: PLC0415
    from fixtures.settings import Choice  # noqa: PLC0415
    from reports.files import check_writable  # noqa: PLC0415

    check_writable(output)
    seed = random.randrange(1 << 31) if seed is None else seed
    choice = Choice(
        kubeconfig=str(kubeconfig) if kubeconfig else None, context=context, agent_image=agent_image, terms=terms
    )
    if of_self:
        with terminable(), _of_self(choice, nodes) if in_lab else nullcontext(choice) as there:
            return measure_self(there, agent_image, output, rounds=rounds, seed=seed, grow=not no_runs)
    with terminable(), ExitStack() as stack:
        choices = (
            [stack.enter_context(_lab(choice, nodes, mode, binaries)) for mode in _chosen(modes)]
            if in_lab
            else [(choice, nullcontext)]
        )
        sites = [stack.enter_context(_site(*one)) for one in choices]
        kept = Family(family) if family else sites[0].families[0]
        restart = in_lab or terms.disruptive
        wish = Wish(services, endpoints, rounds, dials, changes, rate, load_seconds, restart, kept, seed)
        return _measure(sites, wish, output)


@contextmanager
def _of_self(choice: Choice, nodes: int) -> Iterator[Choice]:
    """A lab as `nftconform run --lab` brings one."""
    from conformance.lab.launch.sites import externals  # noqa: PLC0415
    from conformance.lab.launch.start import running_lab  # noqa: PLC0415

    with running_lab(nodes=nodes, progress=lambda text: click.echo(text, err=True)) as lab:
        yield replace(
            choice, kubeconfig=str(lab.kubeconfig), lab_nodes=nodes, externals=externals(lab.directory, nodes)
        )


def _chosen(modes: str) -> list[ProxyMode]:
    known = {mode.value: mode for mode in _MODES}
    words = list(dict.fromkeys(modes.split(",")))
    if "ipvs" in words:
        raise UsageError(
            "No lab has kube-proxy in ipvs mode: it takes modules of the kernel that a lab does not load.",
            "Measure a cluster that is in it with --kubeconfig, and compare with `nftconform diff`.",
        )
    if unknown := [word for word in words if word not in known]:
        raise UsageError(f"There is no mode {unknown[0]!r}.", f"Name some of {', '.join(known)}.")
    return [known[word] for word in words]


@contextmanager
def _lab(choice: Choice, nodes: int, mode: ProxyMode, binaries: Path | None) -> Iterator[tuple[Choice, Block]]:
    """A lab for the time of the block, named as any cluster would be; it is ours to disturb, and to hold up."""
    # Only a lab needs Linux and nft.
    from conformance.lab.launch.pausing import proxies_stopped  # noqa: PLC0415
    from conformance.lab.launch.start import running_lab  # noqa: PLC0415
    from conformance.lab.real.choice import choose  # noqa: PLC0415

    real = choose(binaries, mode)[1] if binaries else None
    with running_lab(nodes=nodes, proxy_mode=mode, real=real, progress=lambda text: click.echo(text, err=True)) as lab:
        click.echo(f"lab in {mode.value} mode ready in {lab.seconds:.1f} s: {lab.summary}", err=True)
        terms = replace(choice.terms, disruptive=True)
        named = replace(choice, kubeconfig=str(lab.kubeconfig), lab_nodes=nodes, terms=terms)
        yield named, partial(proxies_stopped, lab.directory)


@contextmanager
def _site(choice: Choice, unprogrammed: Block) -> Iterator[Site]:
    """The cluster of ``choice``, with the Lease where it is to be disturbed."""
    from conformance.arrange.run import Run, image_of, new_id  # noqa: PLC0415
    from conformance.bench.running import Site  # noqa: PLC0415
    from conformance.cluster.connection import connect  # noqa: PLC0415
    from fixtures.exclusive import exclusive  # noqa: PLC0415
    from fixtures.settings import settle  # noqa: PLC0415

    with exclusive(settle(choice)) as settings:
        terms, facts = settings.terms, settings.facts
        mode = facts.proxy_mode.value
        name = mode.value if mode else "cluster"
        image = image_of(settings.agent_image, terms.registry_mirror)

        def new_run() -> Run:
            return Run(new_id(), image, terms.image_pull_secret, tolerations=tuple(terms.tolerations))

        cluster = connect(Path(choice.kubeconfig) if choice.kubeconfig else None, choice.context, choice.outage)
        try:
            proxy, reference = _programmer(cluster)
            nodes = settings.nodes[: terms.max_nodes or _NODES]
            place = Place(name, name, proxy, reference, tuple(node.name for node in nodes))
            yield Site(cluster, place, nodes, facts.families.otherwise((Family.IPV4,)), new_run, unprogrammed)
        finally:
            cluster.close()


def _programmer(cluster: Cluster) -> tuple[str, bool]:
    """Who programs the rules, by the image of its pods, and whether that is the kit's own."""
    from conformance.cluster.pods import KUBE_PROXY, SYSTEM  # noqa: PLC0415

    pods = cluster.objects("Pod", SYSTEM, KUBE_PROXY)
    images = sorted({str(one.get("image")) for pod in pods for one in pod["spec"].get("containers") or ()})
    if any(image.startswith(_REFERENCE) for image in images):
        return f"reference proxy of nftconform {__version__}", True
    return ", ".join(images) or "whatever programs this cluster's rules: it has no kube-proxy pods", False


def _measure(sites: list[Site], wish: Wish, output: Path) -> int:
    from conformance.bench.running import measure  # noqa: PLC0415
    from reports.bench import written  # noqa: PLC0415
    from reports.bench_file import Journal, load  # noqa: PLC0415
    from reports.bench_text import terminal  # noqa: PLC0415

    options = {
        "--services": ",".join(map(str, wish.services)),
        "--endpoints": ",".join(map(str, wish.endpoints)),
        "--rounds": str(wish.rounds),
        "--dials": str(wish.dials),
        "--changes": str(wish.changes),
        "--rate": f"{wish.rate:g}",
        "--load": f"{wish.load_seconds:g}",
    }
    began, fault = time.monotonic(), ""
    header = Header(SCHEMA, __version__, _now(), wish.seed, wish.family, tuple(s.place for s in sites), options)
    with Journal(output, header) as journal:
        try:
            measure(sites, wish, journal.write, lambda text: click.echo(text, err=True))
        except KitError as error:
            fault = f"{error.cause} {error.hint}"
        except KeyboardInterrupt:
            fault = "interrupted"
        journal.write(Footer(_now(), time.monotonic() - began, not fault, fault))
    click.echo(terminal(written(load(journal.path), output)), nl=False)
    return PARTIAL if fault else 0


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
