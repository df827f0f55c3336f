"""The judgement of one cell."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from conformance.model.observation import Observation
from conformance.model.outcome import Expectation


class Status(Enum):
    """JUnit shows FAILED as <failure>, UNKNOWN as <error>, NOT_APPLICABLE as <skipped>.

    RECORDED is a cell that the API leaves open: it was dialled, what happened is in the report, nobody judged it.
    """

    PASSED = "passed"
    RECORDED = "recorded"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not-applicable"
    KNOWN_ISSUE = "known-issue"


class Mismatch(Enum):
    """Which part of a promise was broken; a fault must be caught by the right one."""

    NONE = "none"
    NOT_REACHED = "not-reached"  # silence or refusal where an answer was promised
    SOMETIMES_LOST = "sometimes-lost"
    WRONG_ENDPOINT = "wrong-endpoint"
    ENDPOINT_NEVER_CHOSEN = "endpoint-never-chosen"
    SKEWED = "skewed"
    WRONG_SOURCE = "wrong-source"
    NOT_STICKY = "not-sticky"
    ANSWERED = "answered"  # an answer where refusal or silence was promised
    DROPPED_NOT_REFUSED = "dropped-not-refused"
    REFUSED_NOT_DROPPED = "refused-not-dropped"
    WRONG_REFUSAL = "wrong-refusal"
    CORRUPTED = "corrupted"  # an answer to another question than was asked
    RETRANSMITTED = "retransmitted"  # a packet was lost that TCP had to send again
    NOT_TOLD = "not-told"  # an ICMP error that must reach the client did not
    WRONG_NAME = "wrong-name"  # DNS
    NEVER_FORGOTTEN = "never-forgotten"  # session affinity beyond its timeout
    WRONG_WORD = "wrong-word"  # an HTTP answer of kube-proxy's
    LEAKED = "leaked"  # packets on a wire where none belong
    WRONG_RULES = "wrong-rules"  # kube-proxy's table is not what the API's objects call for
    UNFIT_NODE = "unfit-node"  # what a node shows is not what kube-proxy's rules need, or what the node should have
    WRONG_DECISION = "wrong-decision"  # of the API server
    EXCUSE_OUTLIVED = "excuse-outlived"  # a known issue excuses it, and it passes


@dataclass(frozen=True, slots=True)
class Verdict:
    """Expectation and observation of one cell, compared; ``message`` is one sentence, ``seen`` how its dials ended."""

    status: Status
    expectation: Expectation
    observation: Observation
    mismatch: Mismatch = Mismatch.NONE
    message: str = ""
    seen: str = ""
