"""The agent's modules as the one file that is carried into pods and over pipes."""

from __future__ import annotations

import ast
from functools import cache
from importlib import resources

PACKAGE = "conformance.probe.agent"
ORDER = (
    "loop",
    "place",
    "sctp",
    "sctp_serve",
    "speech",
    "complaint",
    "server",
    "sieve",
    "request",
    "flight",
    "stream",
    "datagram",
    "sctp_dial",
    "wire",
    "engine",
    "console",
    "main",
)
"""Each module after those that it imports."""


@cache
def agent_source() -> str:
    """One stdlib-only Python file (>= 3.8): ``agent.py serve`` answers, ``agent.py dial`` dials."""
    imports: set[str] = set()
    bodies: list[str] = []
    for name in ORDER:
        source = resources.files(PACKAGE).joinpath(f"{name}.py").read_text("utf-8")
        body = source.splitlines()
        for node in ast.parse(source).body:
            if not isinstance(node, ast.Import | ast.ImportFrom):
                continue
            for line in range(node.lineno - 1, node.end_lineno or node.lineno):
                body[line] = ""
            if isinstance(node, ast.Import) or not (node.module or "").startswith(("__future__", PACKAGE)):
                imports.add(ast.unparse(node))
        bodies.append("\n".join(body).strip())
    return "from __future__ import annotations\n" + "\n".join(sorted(imports)) + "\n\n" + "\n\n\n".join(bodies) + "\n"
