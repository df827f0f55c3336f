"""Programs behind a command prefix: what is said when they fail, and that none is left behind."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.cluster.command import CommandStream, Elsewhere, elsewhere
from conformance.cluster.stream import LineBuffer, StreamLost
from conformance.errors import UsageError

HERE = Elsewhere("here")
ECHO = "import sys\nprint('args', sys.argv, flush=True)\nfor l in sys.stdin: print(l.strip(), flush=True)"


@pytest.mark.parametrize(
    "where", [HERE, Elsewhere("shell", ("sh", "-c"), shell=True), Elsewhere("env", ("env", "X=1"))]
)
def test_the_source_travels_and_stdin_remains(where: Elsewhere) -> None:
    stream = CommandStream.python(where, ECHO, "dial", "--width", "8")
    assert stream.receive(10) == "args ['agent.py', 'dial', '--width', '8']"
    stream.send("hello")
    assert stream.receive(10) == "hello"
    assert stream.receive(0.01) is None
    stream.close()
    stream.close()


def test_more_than_a_pipe_holds() -> None:
    stream = CommandStream.python(HERE, ECHO)
    stream.receive(10)
    stream.send("x" * 1_000_000)
    assert len(stream.receive(10) or "") == 1_000_000
    stream.close()


@pytest.mark.parametrize(
    ("where", "why"),
    [
        (Elsewhere("x", ("/nonexistent/ssh",)), "x: cannot run '/nonexistent/ssh': No such file or directory."),
        (
            Elsewhere("x", ("sh", "-c", "echo Permission denied >&2; exit 255")),
            "ended with exit status 255: Permission",
        ),
        (Elsewhere("x", ("sh", "-c", "exit 0")), "ended with exit status 0"),
    ],
)
def test_a_place_that_does_not_work_is_one_sentence(where: Elsewhere, why: str) -> None:
    with pytest.raises(StreamLost, match=why) as lost:
        stream = CommandStream.python(where, ECHO)
        try:
            stream.receive(10)
        finally:
            stream.close()
    assert "Traceback" not in str(lost.value)


def test_a_program_that_takes_no_input_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.cluster.command.STALLED", 0.3)
    monkeypatch.setattr("conformance.cluster.command.PARTING", 0.2)
    stream = CommandStream("deaf", [sys.executable, "-c", "import time; time.sleep(60)"])
    begun = time.monotonic()
    with pytest.raises(StreamLost, match="took no input"):
        stream.send("x" * 1_000_000)
    stream.close()
    assert time.monotonic() - begun < 3
    assert stream._process.returncode == -9


@pytest.mark.parametrize(
    ("text", "argv"),
    [
        ("local", ["python3", "-c", "a b"]),
        ("exec:docker exec -i 'my box'", ["docker", "exec", "-i", "my box", "python3", "-c", "a b"]),
        ("ssh://root@host:2222", ["-p", "2222", "-l", "root", "--", "host", "python3 -c 'a b'"]),
        ("ssh://[fd00::1]", ["--", "fd00::1", "python3 -c 'a b'"]),
    ],
)
def test_places_by_name(text: str, argv: list[str]) -> None:
    found = elsewhere(text).argv("python3", "-c", "a b")
    assert found[-len(argv) :] == argv


@pytest.mark.parametrize(
    "text", ["", "remote", "exec:", "exec:'", "ssh://", "ssh://u:secret@h", "ssh://-oProxy", "ssh://h/x"]
)
def test_places_that_are_none(text: str) -> None:
    with pytest.raises(UsageError, match="names no place"):
        elsewhere(text)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"))), st.data())
def test_lines_however_they_are_cut(lines: list[str], data: st.DataObject) -> None:
    whole = "".join(f"{line}\n" for line in lines).encode()
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    buffer, found = LineBuffer(), []
    for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True):
        buffer.feed(whole[start:end])
        while (line := buffer.next()) is not None:
            found.append(line)
    assert found == lines
