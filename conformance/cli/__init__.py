"""The command line: ``nftconform COMMAND``, the commands as `_COMMANDS` lists them.

Exit codes: 0 conformant (or simply done), 1 failures, 2 partial, 3 usage or environment, 130 interrupted.
"""

from __future__ import annotations

import importlib
import signal
import sys
from collections.abc import Sequence

import click

from conformance import __version__, collector
from conformance.errors import KitError

INTERRUPTED = 130

_COMMANDS = {
    "run": "Ask a cluster, or a lab of our own, and write the reports.",
    "watch": "Keep traffic to Services going while a command runs, and say what was lost, and for how long.",
    "plan": "Show what would be asked of a cluster, and what not and why; reads only.",
    "facts": "Print what a cluster is, and where each fact was learned; reads only.",
    "preflight": "Say whether a cluster may move from iptables or ipvs to nftables; reads only.",
    "explain": "Print a case's promise, what the oracle expects, why, and the sources.",
    "expect": "Say what must happen in a recorded scenario, or check what did.",
    "audit": "Compare every node's kube-proxy table with what the API asks for; sends no packet.",
    "bench": "Measure latency of first packets and of changes, by the number of Services and the proxy mode.",
    "report": "Make a report of a run's results.jsonl: JUnit, Markdown, a summary, a conformance report, a badge.",
    "verify-report": "Say what is wrong with a conformance report, alone or beside its results.",
    "compatibility": "Say whether network plugins keep kube-proxy's promises, and why not: a verdict a run.",
    "diff": "Compare two runs: what fails, passes or behaves otherwise by now; --gate blocks on it.",
    "history": "Say of many runs since when each case fails, whether it wavers, whether it is slower.",
    "rbac": "Print the permissions that a run needs, as manifests for kubectl apply.",
    "cleanup": "Take away what killed runs left in a cluster.",
    "lab": "An embedded cluster on this machine: up, down, status, exec, shell, kubectl, logs.",
    "selftest": "Prove the cases: every fault in a lab of its own, and whether those that claim it catch it.",
    "docs": "Write the generated pages of docs/ from the suites; --check fails when they are stale.",
}


class _Lazy(click.Group):
    """Imports a command's module when it is called for: `lab exec` must start in a blink."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        name = cmd_name.replace("-", "_")
        command: click.Command = getattr(importlib.import_module(f"conformance.cli.{name}"), name)
        command.short_help = _COMMANDS[cmd_name]
        return command


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="nftconform")
def cli() -> None:
    """Does a cluster's Service networking keep the promises of the Kubernetes API under kube-proxy's nftables mode?"""


def main() -> None:
    """Run the command line and exit with the documented code."""
    collector.spare()
    code = called()
    # All is done and written: an impatient second Ctrl-C may not take the code of what came of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.exit(code)


def called(arguments: Sequence[str] | None = None) -> int:
    """The exit code of the command line, this process's own by default; a `KitError` is two sentences, no traceback."""
    try:
        code = cli.main(arguments, standalone_mode=False)
    except KitError as error:
        click.echo(f"nftconform: {error.cause} {error.hint}", err=True)
        return error.exit_code
    except click.ClickException as error:
        error.show()
        return KitError.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("nftconform: interrupted", err=True)
        return INTERRUPTED
    return code if isinstance(code, int) else 0
