"""Calls in a project's programs that would defeat the hand-over of the MLflow run."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from mantik_tasks.project.files import ProjectFile

_CALLS = {
    "set_experiment": "the job logs to the run that was opened for it; remove the call, "
    "or make it only if MLFLOW_RUN_ID is not set",
    "set_tracking_uri": "the job is told its tracking server by MLFLOW_TRACKING_URI; remove the call, "
    "or make it only if MLFLOW_TRACKING_URI is not set",
}
_LARGEST_BYTES = 1024 * 1024


def tracking_warnings(files: Iterable[ProjectFile]) -> list[str]:
    """Return a warning for each call of MLflow's that would send the program's log elsewhere."""
    return [
        f"{file.path}:{line}: calls mlflow.{name}: {_CALLS[name]}"
        for file in files
        if file.path.endswith(".py") and file.size_bytes <= _LARGEST_BYTES
        for line, name in _calls(file.source)
    ]


def _calls(path: Path) -> Iterator[tuple[int, str]]:
    source = path.read_bytes()
    if b"mlflow" not in source or not any(name.encode() in source for name in _CALLS):
        return
    try:
        with warnings.catch_warnings(action="ignore"):  # a strange program's escapes are not our matter
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            name = _name(node.func)
            if name in _CALLS:
                yield node.lineno, name


def _name(function: ast.expr) -> str | None:
    match function:
        case ast.Attribute(attr=name) | ast.Name(id=name):
            return name
    return None
