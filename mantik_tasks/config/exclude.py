"""`Exclude`: from Mantik's spellings to gitignore's."""

from __future__ import annotations

from dataclasses import replace

from pathspec import GitIgnoreSpec

from mantik_tasks.config.node import Node
from mantik_tasks.config.report import Report, show_key


def with_gitignore_patterns(root: Node, report: Report) -> Node:
    """Return the tree with patterns that mean to gitignore what they meant to Mantik."""
    exclude = root.at("Exclude")
    if exclude is None or not exclude.items:
        return root
    patterns = tuple(
        _normalised(item, index, report) if isinstance(item.value, str) and item.value.strip() else item
        for index, item in enumerate(exclude.items)
    )
    return root.put(("Exclude",), replace(exclude, value=patterns))


def _normalised(item: Node, index: int, report: Report) -> Node:
    path = ("Exclude", index)
    written = str(item.value)
    negation, pattern = ("!", written[1:]) if written.startswith("!") else ("", written)
    while pattern.startswith("./"):
        pattern = pattern[2:]
    if pattern.startswith("/"):
        fault = "must be relative to the project: leave out the / at the beginning"
    elif ".." in pattern.split("/"):
        fault = "must stay in the project: .. is not allowed"
    elif not _is_pattern(pattern):
        fault = "is no gitignore pattern"
    else:
        read_as = negation + pattern
        if read_as != written:
            text = f"is read as {show_key(read_as)}, which is how gitignore writes it"
            report.warning(item.place, path, text)
        return replace(item, value=read_as)
    report.problem(item.place, path, fault)
    return item


def _is_pattern(pattern: str) -> bool:
    """Whether gitignore makes something of it, and more than a comment."""
    try:
        return any(rule.include is not None for rule in GitIgnoreSpec.from_lines([pattern]).patterns)
    except ValueError:
        return False
