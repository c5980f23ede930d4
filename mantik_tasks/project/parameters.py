"""Parameter values: from what a person gave to what reaches the program."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import fsspec
from pathspec import GitIgnoreSpec
from pydantic import JsonValue

from mantik_tasks.errors import ConfigError
from mantik_tasks.models import StagedInput
from mantik_tasks.project.command import fill_in, quoted, quoted_site_path
from mantik_tasks.project.mlproject import EntryPoint, Parameter

INPUTS_FOLDER = "inputs"


@dataclass(frozen=True)
class ResolvedCommand:
    """An entry point with its values.

    Attributes:
        command: The command for a shell.
        parameters: The values as text, defaults included.
        inputs: Data to stage.
        warnings: What a person should know.
    """

    command: str
    parameters: Mapping[str, str]
    inputs: tuple[StagedInput, ...]
    warnings: tuple[str, ...]


def resolve_command(
    entry_point: EntryPoint,
    given: Mapping[str, JsonValue],
    *,
    directory: Path,
    exclude: Sequence[str] = (),
    trusted: bool,
    site_is_here: bool,
) -> ResolvedCommand:
    """Check parameter values and return the command they make.

    Args:
        entry_point: The entry point.
        given: Values by name, as a person gave them.
        directory: The project's folder; relative `path` values begin there.
        exclude: Patterns of files that do not travel with the project, but are staged if named.
        trusted: Whether the project may name files of this machine in its defaults.
        site_is_here: Whether the job runs on this machine, where a missing path is an error.

    Raises:
        ConfigError: With every problem.
    """
    values, problems = _values(entry_point, given)
    paths = _Paths(directory, exclude, trusted, site_is_here)
    words = {}
    for name, value in values.items():
        parameter = entry_point.declared.get(name)
        if parameter is None or parameter.type != "path":
            words[name] = quoted(value)
            continue
        try:
            words[name] = paths.word(parameter, value, given=name in given)
        except ConfigError as error:
            problems += [f"parameter {name}: {problem}" for problem in error.problems]
    problems += _uri_problems(entry_point, values)
    if problems:
        raise ConfigError(f"entry point {entry_point.name}: {problem}" for problem in problems)
    command = fill_in(entry_point, words)
    return ResolvedCommand(command, values, tuple(paths.inputs), tuple(paths.warnings))


def as_text(value: JsonValue) -> str:
    """Return a value from a form or a program as text; text stays as it is."""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _values(entry_point: EntryPoint, given: Mapping[str, JsonValue]) -> tuple[dict[str, str], list[str]]:
    declared = entry_point.declared
    problems = [
        f"parameter {name!r} is not declared; declared are {', '.join(sorted(declared)) or 'none'}"
        for name in given
        if name not in declared and not entry_point.implicit
    ]
    problems += [
        f"parameter {name} has no value: give null a value or leave it out"
        for name, value in given.items()
        if value is None
    ]
    missing = [
        name for name, parameter in declared.items() if parameter.default is None and name not in given
    ]
    if missing:
        problems.append(f"no value for the required parameters {', '.join(missing)}: give them a value")
    values = {
        name: parameter.default for name, parameter in declared.items() if parameter.default is not None
    }
    values |= {name: as_text(value) for name, value in given.items() if value is not None}
    problems += [
        problem
        for name in given
        if name in values
        for problem in _value_problems(declared.get(name), name, values[name])
    ]
    return values, problems


def _value_problems(parameter: Parameter | None, name: str, value: str) -> list[str]:
    problems = []
    if "\0" in value:
        problems.append(f"parameter {name}: holds a NUL character, which no program can be given")
    if any("\ud800" <= character <= "\udfff" for character in value):
        problems.append(f"parameter {name}: is not valid Unicode text")
    number_types = {"float": float, "int": int}
    if parameter is not None and parameter.type in number_types:
        try:
            number_types[parameter.type](value)
        except ValueError:
            kind = {"float": "a number", "int": "a whole number"}[parameter.type]
            problems.append(
                f"parameter {name}: {value!r} is not {kind}, though it is declared as {parameter.type}"
            )
    return problems


def _uri_problems(entry_point: EntryPoint, values: Mapping[str, str]) -> list[str]:
    return [
        f"parameter {name}: {values[name]!r} is not a URI, though it is declared as uri; write scheme:…"
        for name, parameter in entry_point.declared.items()
        if parameter.type == "uri" and name in values and not urlsplit(values[name]).scheme
    ]


class _Paths:
    """Decides for each `path` parameter what is staged, and what the program is told."""

    def __init__(self, directory: Path, exclude: Sequence[str], trusted: bool, site_is_here: bool) -> None:
        self.directory = directory.resolve()
        self.excluded = GitIgnoreSpec.from_lines(exclude)
        self.trusted = trusted
        self.site_is_here = site_is_here
        self.inputs: list[StagedInput] = []
        self.warnings: list[str] = []

    def word(self, parameter: Parameter, value: str, *, given: bool) -> str:
        scheme, separator, rest = value.partition("://")
        if separator and scheme not in ("file", "local"):
            self._check_url(value, scheme, given=given)
            return self._staged(parameter, value, rest)
        text = rest if separator else value
        path = (self.directory / Path(text).expanduser()).resolve() if text else self.directory
        if path.is_relative_to(self.directory) and path.exists():
            inside = path.relative_to(self.directory).as_posix()
            if self.excluded.match_file(f"{inside}/" if path.is_dir() else inside):
                return self._staged(parameter, str(path), path.name)
            return quoted_site_path(inside)
        if not given and not self.trusted:
            raise ConfigError(
                f"its default {value!r} lies outside of the project, which came from elsewhere; "
                "give the value yourself"
            )
        if path.exists():
            return self._staged(parameter, str(path), path.name)
        if Path(text).is_absolute() and not self.site_is_here:
            self.warnings.append(
                f"parameter {parameter.name}: {value} is not on this machine; "
                "it is taken as a path on the site"
            )
            return quoted(text)
        raise ConfigError(f"there is no {path}; give a file, a folder or a URL that fsspec can read")

    def _check_url(self, url: str, scheme: str, *, given: bool) -> None:
        if not given and not self.trusted and scheme not in ("http", "https"):
            raise ConfigError(
                f"its default {url!r} could read what only you may read, and the project came from "
                "elsewhere; give the value yourself"
            )
        if scheme.partition("::")[0] not in fsspec.available_protocols():
            raise ConfigError(f"{url!r}: fsspec knows no {scheme}://; use a file, or another URL")

    def _staged(self, parameter: Parameter, url: str, rest: str) -> str:
        name = rest.rstrip("/").rpartition("/")[2] or "data"
        path = f"{INPUTS_FOLDER}/{parameter.name}/{name}"
        self.inputs.append(StagedInput(parameter=parameter.name, url=url, path=path))
        return quoted_site_path(path)
