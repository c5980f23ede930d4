"""From a tree to the models, with the problems in our words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import ValidationError

from mantik_tasks.config.catalogue import keys_in
from mantik_tasks.config.hints import hint_for
from mantik_tasks.config.models import ComputeBackendConfig
from mantik_tasks.config.node import Node
from mantik_tasks.config.report import KeyPath, Report

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

MOST_PROBLEMS = 100
_TEXTS = {
    "missing": "is required; a block may supply it",
    "string_type": "must be text, not a list or mapping",
    "string_unicode": "must be valid Unicode",
    "tuple_type": "must be a text or a list of texts",
    "dict_type": "must be a mapping of names to texts",
}


def validate(root: Node, report: Report) -> ComputeBackendConfig | None:
    """Return the config, or nothing if there are problems, which are reported."""
    empty = list(_empty(root, ()))
    for path in empty:
        remedy = "write '' for an empty text" if "Variables" in path else "give it one or leave the key out"
        report.problem(root.nearest(path), path, f"has no value: {remedy}")
    try:
        return ComputeBackendConfig.model_validate(root.plain())
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        for details in errors[:MOST_PROBLEMS]:
            path = tuple(part for part in details["loc"] if part != "[key]")
            if path not in empty:
                report.problem(root.nearest(path), path, _text(details, path))
        if len(errors) > MOST_PROBLEMS:
            report.problem(root.place, (), f"{len(errors) - MOST_PROBLEMS} more problems of this kind")
    return None


def _empty(node: Node, path: KeyPath) -> Iterator[KeyPath]:
    """Yield the paths of all values that are empty."""
    if node.value is None:
        yield path
    for key, below in node.entries.items():
        yield from _empty(below, (*path, key))
    if isinstance(node.value, tuple):
        for index, item in enumerate(node.value):
            yield from _empty(item, (*path, index))


def _text(error: ErrorDetails, path: KeyPath) -> str:
    keys = tuple(part for part in path if isinstance(part, str))
    match error["type"]:
        case "value_error":
            return str(error["ctx"]["error"])
        case "extra_forbidden":
            return f"unknown key: {hint_for(keys)}"
        case "enum":
            return f"must be {error['ctx']['expected']}".replace("'", "")
        case "model_type":
            valid = keys_in(keys)
            return f"must be a mapping with keys such as {', '.join(valid[:3])}" if valid else "must be {}"
        case other:
            return _TEXTS.get(other, error["msg"])
