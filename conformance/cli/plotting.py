"""What only a bench needs besides the kit itself."""

from __future__ import annotations

from importlib.util import find_spec

from conformance.errors import EnvironmentFault


def check_installed() -> None:
    """`EnvironmentFault` when the extra ``bench`` is not installed."""
    if not all(map(find_spec, ("numpy", "matplotlib"))):
        raise EnvironmentFault(
            "The libraries for statistics and plots are not installed.", "Run: pip install 'nftconform[bench]'"
        )
