"""When a container that has ended is started again. Pure."""

from __future__ import annotations

from dataclasses import dataclass

FIRST_SECONDS, MOST_SECONDS = 1.0, 10.0
_FORGIVEN_AFTER = 2 * MOST_SECONDS


def restarts(policy: str, exit_code: int) -> bool:
    """Whether ``restartPolicy`` starts a container again that ended with ``exit_code``."""
    match policy:
        case "Never":
            return False
        case "OnFailure":
            return exit_code != 0
        case _:
            return True


@dataclass(frozen=True, slots=True)
class Backoff:
    """The crash-loop delay: 1 s, doubled up to 10 s, forgotten when the container has lived for 20 s."""

    seconds: float = 0.0

    def after(self, lifetime: float) -> Backoff:
        """The delay before the next start, when the last life took ``lifetime`` seconds."""
        if self.seconds == 0 or lifetime >= _FORGIVEN_AFTER:
            return Backoff(FIRST_SECONDS)
        return Backoff(min(self.seconds * 2, MOST_SECONDS))
