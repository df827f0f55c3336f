"""The plugins of a run; they are idle in sessions that ask no cluster."""

from __future__ import annotations

pytest_plugins = ["fixtures.options", "fixtures.planning", "fixtures.suite", "fixtures.session"]
