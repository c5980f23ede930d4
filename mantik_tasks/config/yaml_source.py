"""YAML text as a tree.

PyYAML parses and composes; its constructors, which would turn text into Python values, are never
run. So scalars keep their characters, and no tag can create an object.
"""

from __future__ import annotations

import yaml

from mantik_tasks.config.node import DEEPEST, MOST_NODES, Budget, Node
from mantik_tasks.config.report import KeyPath, Place, Report
from mantik_tasks.errors import ConfigError

_CORE = "tag:yaml.org,2002:"
_NULL, _MERGE = f"{_CORE}null", f"{_CORE}merge"
_KNOWN_TAGS = {
    f"{_CORE}{name}"
    for name in ("null", "merge", "str", "bool", "int", "float", "timestamp", "value", "map", "seq")
}


def parse_yaml(text: str, source: str) -> Node:
    """Return the one document in `text`; aliases and merge keys are resolved.

    Raises:
        ConfigError: If it is no YAML, or no config could look like that.
    """
    try:
        _refuse_monsters(text, source)
        # The safe loader's resolver, without its constructor.
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        raise ConfigError(_syntax_problem(error, source)) from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise ConfigError(f"{source}:{line}: holds a character that YAML does not allow") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML lets Python's own errors out, for example for an escape beyond Unicode.
        raise ConfigError(f"{source}: is not valid YAML: {type(error).__name__}") from error
    if root is None:
        return Node(None, Place(source))
    builder = _Builder(source)
    node = builder.build(root, ())
    builder.report.raise_problems()
    return Node(node.value, Place(source))


def _refuse_monsters(text: str, source: str) -> None:
    """Look at size and depth first: composing is recursive, and parsing is not."""
    depth = 0
    for count, event in enumerate(yaml.parse(text, Loader=yaml.SafeLoader)):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise ConfigError(
                f"{_place(source, event)}: is nested too deeply: at most {DEEPEST} levels are allowed"
            )
        if count > 2 * MOST_NODES:
            raise ConfigError(f"{source}: is too large: at most {MOST_NODES} values are allowed")


def _syntax_problem(error: yaml.MarkedYAMLError, source: str) -> str:
    mark = error.problem_mark or error.context_mark
    where = f"{source}:{mark.line + 1}: column {mark.column + 1}" if mark else source
    what = " ".join(filter(None, (error.context, error.problem))) or "is not valid YAML"
    advice = ""
    if "alias" in what or "anchor" in what:
        advice = "; put quotes round a value that begins with * or &"
    elif "\\t" in what:
        advice = "; YAML wants spaces, not tabs"
    return f"{where}: {what}{advice}"


def _place(source: str, part: yaml.Event | yaml.Node) -> Place:
    mark = part.start_mark
    return Place(source, mark.line + 1 if mark else None)


class _Builder:
    """Turns PyYAML's nodes into ours."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.report = Report()
        self.budget = Budget()

    def build(self, node: yaml.Node, path: KeyPath, place: Place | None = None) -> Node:
        """Return `node`, which is at `path`, as a tree; `place` is where its key stands, if it has one."""
        place = place or _place(self.source, node)
        self.budget.spend(path, place)
        if node.tag not in _KNOWN_TAGS:
            self.report.problem(
                place, path, "tags such as !name are not allowed; put quotes round a value that begins with !"
            )
            return Node("", place)
        if isinstance(node, yaml.MappingNode):
            return Node(self._entries(node, path), place)
        if isinstance(node, yaml.SequenceNode):
            items = enumerate(node.value)
            return Node(tuple(self.build(item, (*path, index)) for index, item in items), place)
        return Node(None if node.tag == _NULL else node.value, place)

    def _entries(self, mapping: yaml.MappingNode, path: KeyPath) -> dict[str, Node]:
        own: dict[str, Node] = {}
        merged: dict[str, Node] = {}
        for key, value in mapping.value:
            place = _place(self.source, key)
            if not isinstance(key, yaml.ScalarNode):
                self.report.problem(place, path, "a key must be plain text")
            elif key.tag == _MERGE:
                merged = self._merged(value, path, place) | merged
            elif key.value in own:
                first = own[key.value].place.line
                self.report.problem(place, (*path, key.value), f"is given twice, first in line {first}")
            else:
                own[key.value] = self.build(value, (*path, key.value), place)
        return merged | own

    def _merged(self, value: yaml.Node, path: KeyPath, place: Place) -> dict[str, Node]:
        """Return what a merge key `<<` brings in; of several mappings, the earlier one wins."""
        sources = value.value if isinstance(value, yaml.SequenceNode) else [value]
        merged: dict[str, Node] = {}
        for source in sources:
            node = self.build(source, (*path, "<<"), place)
            if not isinstance(node.value, dict):
                self.report.problem(place, path, "<< must name a mapping, or a list of mappings")
            merged = node.entries | merged
        return merged
