"""Ending a lab that another process started."""

from __future__ import annotations

import os
import select
import signal

from conformance.errors import EnvironmentFault, LabError
from conformance.lab.launch.directory import Directory, required
from conformance.lab.launch.watchdog import STOP_SECONDS


def end(directory: Directory) -> None:
    """End the lab in ``directory`` and return when nothing of it is left. ``LabError`` when there is none."""
    record = required(directory)
    try:
        watchdog = os.pidfd_open(record.watchdog)
    except ProcessLookupError:
        watchdog = None
    # From here on the descriptor is the process; but it may have been opened for a successor with the same number.
    if directory.running() != record:
        return
    if watchdog is not None:
        try:
            signal.pidfd_send_signal(watchdog, signal.SIGTERM)
        except PermissionError as error:
            raise EnvironmentFault("The lab belongs to another user.", "End it as the user who started it.") from error
        except ProcessLookupError:
            pass
        if not select.select([watchdog], [], [], STOP_SECONDS)[0]:
            raise LabError(f"The lab's watchdog (process {record.watchdog}) does not end.", "Kill it.")
