"""A config as a tree in which every value knows where it is written."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from os import PathLike, fspath

from mantik_tasks.config.report import KeyPath, Place, show_path
from mantik_tasks.errors import ConfigError

DEEPEST = 20
MOST_NODES = 20_000

Plain = str | None | list["Plain"] | dict[str, "Plain"]


@dataclass(frozen=True)
class Node:
    """A value of a config.

    Attributes:
        value: Text (every scalar, as it is written), nothing, a tuple of nodes, or a mapping to nodes.
        place: Where it is written. For the value of a key, that is the line of the key.
    """

    value: str | tuple[Node, ...] | dict[str, Node] | None
    place: Place

    @property
    def entries(self) -> dict[str, Node]:
        """The entries of a mapping; none if this is something else."""
        return self.value if isinstance(self.value, dict) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """The items of a list; a lone text is a list of one."""
        if isinstance(self.value, str):
            return (self,)
        return self.value if isinstance(self.value, tuple) else ()

    def at(self, *path: str) -> Node | None:
        """Return the node below `path`, if there is one."""
        node: Node | None = self
        for key in path:
            node = node.entries.get(key) if node else None
        return node

    def text(self, *path: str) -> str | None:
        """Return the text below `path`, if there is one."""
        node = self.at(*path)
        return node.value if node and isinstance(node.value, str) else None

    def nearest(self, path: KeyPath) -> Place:
        """Return where `path` is written, or the deepest part of it that is written at all."""
        node = self
        for part in path:
            below = node.entries.get(part) if isinstance(part, str) else dict(enumerate(node.items)).get(part)
            if below is None:
                break
            node = below
        return node.place

    def put(self, path: tuple[str, ...], node: Node) -> Node:
        """Return this tree with `node` at `path`. What is no mapping stays."""
        if not path:
            return node
        if not isinstance(self.value, dict):
            return self
        below = self.value.get(path[0], Node({}, node.place))
        return replace(self, value=self.value | {path[0]: below.put(path[1:], node)})

    def without(self, *path: str) -> Node:
        """Return this tree without what is at `path`."""
        head, *rest = path
        if head not in self.entries:
            return self
        if rest:
            return self.put((head,), self.entries[head].without(*rest))
        return replace(self, value={key: node for key, node in self.entries.items() if key != head})

    def plain(self) -> Plain:
        """Return the values alone."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


class Budget:
    """Bounds the size of a tree, since a few lines of aliases can stand for more than fits anywhere."""

    def __init__(self) -> None:
        self._nodes = 0

    def spend(self, path: KeyPath, place: Place) -> None:
        """Count the node at `path`.

        Raises:
            ConfigError: If the tree is too deep or too large to be a config.
        """
        self._nodes += 1
        if len(path) > DEEPEST:
            raise ConfigError(f"{place}: is nested too deeply: at most {DEEPEST} levels")
        if self._nodes > MOST_NODES:
            raise ConfigError(f"{place}: is too large: at most {MOST_NODES} values, aliases expanded")


def node_of(value: object, source: str) -> Node:
    """Return what Python code or a block gives as a tree.

    Raises:
        ConfigError: If it holds what no config file could.
    """
    place, budget = Place(source), Budget()

    def convert(value: object, path: KeyPath) -> Node:
        budget.spend(path, place)
        if isinstance(value, Mapping):
            if not all(isinstance(key, str) for key in value):
                raise ConfigError(f"{place}: {show_path(path)}: keys must be text")
            return Node({key: convert(below, (*path, key)) for key, below in value.items()}, place)
        if isinstance(value, list | tuple):
            return Node(tuple(convert(item, (*path, i)) for i, item in enumerate(value)), place)
        return Node(_scalar(value, f"{place}: {show_path(path)}"), place)

    return convert(value, ())


def _scalar(value: object, where: str) -> str | None:
    """Return a scalar as a YAML file would write it."""
    if value is None or isinstance(value, str):
        return None if value is None else str(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, PathLike):
        return str(fspath(value))
    try:
        if isinstance(value, int) or (isinstance(value, float) and math.isfinite(value)):
            return str(value)
    except ValueError:  # a whole number with more digits than Python is willing to write
        pass
    raise ConfigError(f"{where}: must be text, a number, true or false, a list or a mapping")
