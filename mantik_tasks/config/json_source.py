"""JSON text as a tree.

The standard library decides what is valid; a second, simple pass over the tokens of a valid text
adds the lines and keeps numbers as they are spelled.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from itertools import accumulate
from typing import NoReturn

from mantik_tasks.config.node import DEEPEST, Budget, Node
from mantik_tasks.config.report import KeyPath, Place, Report
from mantik_tasks.errors import ConfigError

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]|[^\s\[\]{},:"]+')


def parse_json(text: str, source: str) -> Node:
    """Return the document in `text`.

    Raises:
        ConfigError: If it is no JSON, or no config could look like that.
    """
    if not text.strip():
        return Node(None, Place(source))
    try:
        json.loads(text, parse_int=str, parse_float=str, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise ConfigError(f"{source}:{error.lineno}: column {error.colno}: {error.msg}") from error
    except RecursionError as error:
        raise ConfigError(f"{source}: is nested too deeply: at most {DEEPEST} levels are allowed") from error
    except ValueError as error:
        raise ConfigError(f"{source}: {error}") from error
    builder = _Builder(text, source)
    node = builder.build(builder.next(), ())
    builder.report.raise_problems()
    return Node(node.value, Place(source))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON")


class _Builder:
    """Builds the tree of a text that is known to be valid."""

    def __init__(self, text: str, source: str) -> None:
        self.source = source
        self.report = Report()
        self.budget = Budget()
        self._tokens = _TOKEN.finditer(text)
        self._line_ends = list(accumulate((len(line) for line in text.split("\n")), lambda a, b: a + b + 1))

    def next(self) -> re.Match[str]:
        """Return the next bracket, key or scalar."""
        return next(self._tokens)

    def build(self, token: re.Match[str], path: KeyPath, place: Place | None = None) -> Node:
        """Return the value at `path`, which begins with `token`; `place` is where its key stands."""
        place = place or self._place(token)
        self.budget.spend(path, place)
        match token.group()[0]:
            case "{":
                return Node(self._entries(path), place)
            case "[":
                return Node(self._items(path), place)
            case '"':
                return Node(json.loads(token.group()), place)
            case _:
                return Node(None if token.group() == "null" else token.group(), place)

    def _entries(self, path: KeyPath) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        while (token := self.next()).group() != "}":
            key, place = json.loads(token.group()), self._place(token)
            value = self.build(self.next(), (*path, key), place)
            if key in entries:
                first = entries[key].place.line
                self.report.problem(place, (*path, key), f"is given twice, first in line {first}")
            entries.setdefault(key, value)
        return entries

    def _items(self, path: KeyPath) -> tuple[Node, ...]:
        items: list[Node] = []
        while (token := self.next()).group() != "]":
            items.append(self.build(token, (*path, len(items))))
        return tuple(items)

    def _place(self, token: re.Match[str]) -> Place:
        return Place(self.source, bisect_right(self._line_ends, token.start()) + 1)
