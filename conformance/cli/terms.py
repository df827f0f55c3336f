"""The options behind `Terms`, made of its fields."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection
from dataclasses import Field, fields
from typing import Any

import click

from conformance.arrange.terms import Terms, flag


def terms_options(*only: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Gives a command one option for each field of `Terms`, or for those named, and hands it ``terms``."""
    chosen = [one for one in fields(Terms) if not only or one.name in only]
    return functools.partial(_with, chosen)


def _with(chosen: Collection[Field[Any]], command: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(command)
    def told(*args: object, **options: Any) -> Any:  # noqa: ANN401  click's own
        mine = {one.name: options.pop(one.name) for one in chosen}
        return command(*args, terms=Terms.of(mine), **options)

    wrapped: Callable[..., Any] = told
    for one in reversed(list(chosen)):
        wrapped = _option(one)(wrapped)
    return wrapped


def _option(one: Field[Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    words, about = (flag(one), one.name), one.metadata
    if isinstance(one.default, bool):
        return click.option(*words, is_flag=True, help=about["help"])
    kind: Any = click.Choice(about["choices"]) if about["choices"] else click.IntRange(1)
    if not isinstance(one.default, int) and not about["choices"]:
        kind = str
    several = isinstance(one.default, tuple)
    return click.option(*words, type=kind, multiple=several, metavar=about["metavar"] or None, help=about["help"])
