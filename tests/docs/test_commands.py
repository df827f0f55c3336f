"""What the documentation tells people to type, and what it says they may be told, are the program's own words."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from conformance.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs" / "ci").iterdir())]
BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`(nftconform [^`]*)`")
PROGRAM = re.compile(r"(?:^\s*|\$\()nftconform(?= +[a-z])")
PLACEHOLDER = re.compile(r"\.\.\.|\[|\bNAME\b")
END = re.compile(r"\s(?:\|\|?|&&|>|;)\s.*|\s#\s.*")


def commands() -> Iterator[tuple[str, str]]:
    """Every command line of every page, without what the shell makes of it."""
    for page in PAGES:
        text = page.read_text("utf-8")
        lines = [line for block in BLOCK.findall(text) for line in block.splitlines()]
        lines += [line for line in INLINE.findall(text) if not PLACEHOLDER.search(line)]
        for line in text.splitlines() if page.suffix == ".yaml" else lines:
            for start in PROGRAM.finditer(line):
                rest = line[start.end() :]
                if start[0].startswith("$("):
                    rest = rest.partition(")")[0]
                yield page.name, f"nftconform{END.sub('', rest).rstrip()}"


def each() -> list[object]:
    return [
        pytest.param(
            line,
            id=f"{page}: {line}",
        )
        for page, line in dict.fromkeys(commands())
    ]


@pytest.mark.parametrize("line", each())
def test_the_command_line_is_understood(line: str) -> None:
    understood(line)


def understood(line: str) -> None:
    """Raise `click.ClickException` unless ``line`` can be parsed; a mere name of a command has no arguments."""
    _, *words = shlex.split(line)
    command: click.Command = cli
    context = click.Context(cli)
    while words and isinstance(command, click.Group):
        found = command.get_command(context, words[0])
        if found is None:
            raise click.UsageError(f"no command {words[0]}")
        command, words = found, words[1:]
    if words and words != ["--help"]:
        command.make_context("nftconform", words)


@pytest.mark.parametrize(
    "line",
    ["nftconform rum", "nftconform run --cases CIP-01", "nftconform lab fetch --arch x86_64", "nftconform lab u"],
)
def test_a_wrong_line_is_not(line: str) -> None:
    with pytest.raises(click.ClickException):
        understood(line)


def test_lines_are_found() -> None:
    found = {line for _, line in commands()}
    assert "nftconform lab down" in found
    assert "nftconform lab fetch --version v1.36.2" in found
    assert len(found) > 50


SENTENCES = re.findall(r"^\| `(.+?)` \|", (ROOT / "docs" / "live.md").read_text("utf-8"), re.MULTILINE)


def test_sentences_are_found() -> None:
    assert len(SENTENCES) > 10


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_sentence_is_the_programs_own(sentence: str) -> None:
    """Between its placeholders it stands so in the source; numbers and what is waited for are placeholders too."""
    source = "".join(
        re.sub(r'"\s*\n\s*f?"', "", path.read_text("utf-8"))
        for folder in ("conformance", "fixtures")
        for path in (ROOT / folder).rglob("*.py")
    )
    pieces = re.split(
        r"…|(?<=after )\d+(?= s)|(?<=waiting for )|(?=: …)|\.$|: (?=its|no answer)|\(404 Not Found\)", sentence
    )
    for piece in filter(None, (p.strip(" :") for p in pieces)):
        assert piece in source, piece
