"""Transactions that an ordinary user's netlink socket does not take whole are done in parts, in their order."""

from __future__ import annotations

import asyncio

import pytest

from conformance.lab.proxy import nft


class Short:
    """An nft that takes three lines at once, and refuses a line that says so."""

    def __init__(self) -> None:
        self.done: list[str] = []

    async def __call__(self, *_arguments: str, stdin: str = "") -> str:
        lines = stdin.splitlines()
        if len(lines) > 3:
            raise nft.NftError("netlink: Error: Could not process rule: Message too long")
        if "wrong" in lines:
            raise nft.NftError("Error: syntax error")
        self.done += lines
        return ""


def test_what_is_too_long_is_done_in_parts_in_its_order(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Short()
    monkeypatch.setattr(nft, "_nft", short)
    asyncio.run(nft.apply("".join(f"line {n}\n" for n in range(11))))
    assert short.done == [f"line {n}" for n in range(11)]


def test_any_other_error_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Short()
    monkeypatch.setattr(nft, "_nft", short)
    with pytest.raises(nft.NftError, match="syntax error"):
        asyncio.run(nft.apply("right\nwrong\n"))
    assert short.done == []
