"""``nftconform rbac``: the permissions that a run needs, as manifests."""

from __future__ import annotations

from itertools import chain
from typing import Any

import click
import yaml

from conformance.arrange.grants import ALWAYS, HELPFUL, of_rows, of_terms
from conformance.arrange.rbac import account, roles
from conformance.arrange.terms import Terms
from conformance.cli.terms import terms_options
from conformance.cluster.grants import Grant, needed
from conformance.facts.catalogue import CONFIG, PLUGIN_CONFIG, QUESTIONS
from conformance.kit import put_on_path
from conformance.model.case import Case, Matrix, Profile

_HEAD = """\
# What nftconform needs for the profile {profile}{options}: no more, no less.
# The namespaces of a run have names of their own each time: what is done in them is granted in all.
# To run with it: kubectl create token {name} --namespace {namespace}
"""
_FACTS = """\
# Reads that make facts of the cluster known (docs/facts.md); leave them out, and those facts are unknown.
# The configuration of a CNI plugin is read from its own namespace: cilium-config, antrea-config, kube-flannel-cfg
# or canal-config.
"""


@click.command()
@click.option(
    "--profile",
    type=click.Choice([p.value for p in Profile]),
    default=Profile.KUBE_PROXY_NFTABLES.value,
    show_default=True,
    help="Whose promises are asked.",
)
@click.option(
    "--node-access",
    type=click.Choice(["none", "kube-proxy"]),
    default="none",
    show_default=True,
    help="As for `run`: kube-proxy's configuration must be readable then.",
)
@click.option("--name", default="nftconform", show_default=True, help="Of the ServiceAccount and its roles.")
@click.option("--namespace", default="nftconform", show_default=True, help="Of the ServiceAccount.")
@terms_options("disruptive", "image_pull_secret", "lb")
def rbac(profile: str, node_access: str, name: str, namespace: str, terms: Terms) -> None:
    """Print a ServiceAccount with exactly the permissions of a run with the same options, for `kubectl apply -f -`."""
    put_on_path()
    from fixtures.catalogue import areas  # noqa: PLC0415  importable only after put_on_path

    asked = Profile(profile)
    every = chain.from_iterable(chain[Case | Matrix](area.cases, area.matrices) for area in areas())
    rows = [row for row in every if asked.includes(row.profile)]
    run = needed((*ALWAYS, *HELPFUL, *of_rows(rows), *of_terms(terms), *_nodes(node_access)))
    options = "".join(f" {' '.join(words)}" for words in terms.again)
    options += f" --node-access {node_access}" if node_access != "none" else ""
    who = (namespace, name)
    said = _HEAD.format(profile=profile, options=f" and{options}" if options else "", name=name, namespace=namespace)
    click.echo(said + _documents(account(name, namespace) + roles(name, run, who)), nl=False)
    click.echo(_FACTS + _documents(roles(f"{name}-facts", facts(run), who)), nl=False)


def facts(run: tuple[Grant, ...]) -> tuple[Grant, ...]:
    """What the facts of a cluster are read from, beside what a run may do anyway."""
    reads = {grant for question in QUESTIONS for grant in question.reads} - {PLUGIN_CONFIG}
    return needed(tuple(reads), beside=run)


def _nodes(access: str) -> tuple[Grant, ...]:
    """The audit needs kube-proxy's configuration; its pods are listed and entered as those of the run are."""
    return () if access == "none" else (CONFIG,)


def _documents(made: list[dict[str, Any]]) -> str:
    return "".join(f"---\n{yaml.safe_dump(one, sort_keys=False, default_flow_style=None)}" for one in made)
