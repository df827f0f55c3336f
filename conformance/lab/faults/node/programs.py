"""The nft that kube-proxy's pod finds: kube-proxy's own work goes on, who else asks it is answered differently."""

from __future__ import annotations

import contextlib
import re
import subprocess
from collections.abc import AsyncIterator

from conformance.lab.faults.node import tables
from conformance.lab.faults.node.registry import puts_in
from conformance.lab.faults.node.watching import is_meant
from conformance.lab.faults.scene import Scene
from conformance.spec.faults import Fault

_NEW_SETS = (1, 1, 2)
"""The first nft whose sets crash older ones (kubernetes/kubernetes#136786)."""


@puts_in(Fault.EXPRESSION_REFUSED)
@contextlib.asynccontextmanager
async def expression_refused(scene: Scene) -> AsyncIterator[None]:
    """As a kernel without CONFIG_NFT_FIB refuses it."""
    said = "Error: Could not process rule: No such file or directory"
    async with _answering(scene, "*--check*fib*", f"echo '{said}' >&2; exit 1"):
        yield


@puts_in(Fault.NFT_TOO_OLD)
@contextlib.asynccontextmanager
async def nft_too_old(scene: Scene) -> AsyncIterator[None]:
    """The last one before 1.0.1."""
    async with _versioned(scene, "1.0.0"):
        yield


@puts_in(Fault.NFT_CRASHES)
@contextlib.asynccontextmanager
async def nft_crashes(scene: Scene) -> AsyncIterator[None]:
    """With the status that shells give to a segmentation fault."""
    async with _answering(scene, "*list\\ ruleset*", "exit 139"):
        yield


@puts_in(Fault.NFT_VERSIONS_CLASH)
@contextlib.asynccontextmanager
async def nft_versions_clash(scene: Scene) -> AsyncIterator[None]:
    """The other side of what the machine has."""
    said = subprocess.run(["nft", "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"v(\d+)\.(\d+)\.(\d+)", said)
    own = tuple(map(int, found.groups())) if found else ()
    async with _versioned(scene, "1.0.1" if own >= _NEW_SETS else "1.1.3"):
        yield


def _versioned(scene: Scene, version: str) -> contextlib.AbstractAsyncContextManager[None]:
    return _answering(scene, "--version", f"echo 'nftables v{version} (a fault of the lab)'; exit 0")


@contextlib.asynccontextmanager
async def _answering(scene: Scene, arguments: str, answer: str) -> AsyncIterator[None]:
    """A stand-in of nft that answers to these ``arguments`` (a pattern of sh's), on the node that is meant."""
    with contextlib.ExitStack() as stack:
        if await is_meant(scene):
            script = f'case "$*" in {arguments}) {answer};; esac\n{tables.REAL_NFT}'
            stack.enter_context(tables.stand_in(scene, "nft", script))
        yield
