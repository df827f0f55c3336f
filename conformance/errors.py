"""Every error a user can meet, as one tree: each says what happened, why, and what to do.

KitError                exit code 3 unless it says otherwise
|- UsageError           what was asked for does not exist or contradicts itself
|- EnvironmentFault     this machine lacks something (nft, user namespaces, a writable folder ...)
|- DownloadError        what is to be downloaded is not there, does not come, or is not what it should be
|- ClusterError         the cluster cannot be reached or refuses (network, credentials, RBAC)
`- LabError             the lab did not come up, or is not there
"""

from __future__ import annotations


class KitError(Exception):
    """A fault that a person can act on: one sentence of cause, one of remedy; never shown as a traceback."""

    exit_code = 3

    def __init__(self, cause: str, hint: str) -> None:
        super().__init__(f"{cause} {hint}")
        self.cause = cause
        self.hint = hint


class UsageError(KitError):
    """The command line or a file it names asks for something that cannot be done."""


class EnvironmentFault(KitError):
    """This machine lacks what the command needs."""


class DownloadError(KitError):
    """What is to be downloaded is not there, does not come, or is not what it should be."""


class ClusterError(KitError):
    """The cluster's API cannot be reached, or does not let us."""


class LabError(KitError):
    """The lab did not come up, or is not running."""
