"""A stream that is closed by one thread while another waits on it."""

from __future__ import annotations

import pytest

from conformance.cluster.exec import ExecStream
from conformance.cluster.stream import LineBuffer, StreamLost


class ClosedWhilePolled:
    """What kubernetes' WSClient does when its socket has gone during ``update``."""

    def __init__(self) -> None:
        self.open = True

    def is_open(self) -> bool:
        return self.open

    def update(self, timeout: float) -> None:
        self.open = False
        raise TypeError("argument must be an int, or have a fileno() method.")


def test_closing_under_a_reader_loses_the_stream_and_nothing_worse() -> None:
    stream = ExecStream.__new__(ExecStream)
    stream.__dict__.update(name="pod a/b", _buffer=LineBuffer(), _status="", _words="", _socket=ClosedWhilePolled())
    with pytest.raises(StreamLost, match="it was closed here"):
        stream.receive(1.0)
