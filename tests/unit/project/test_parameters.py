"""Parameter values: what is accepted, what is refused, and what is staged."""

import shlex
from collections.abc import Mapping
from pathlib import Path

import pytest
from pydantic import JsonValue

from mantik_tasks.errors import ConfigError
from mantik_tasks.project.mlproject import load_mlproject
from mantik_tasks.project.parameters import ResolvedCommand, resolve_command

MLPROJECT = """
entry_points:
  main:
    parameters:
      alpha: {type: float, default: 0.5}
      count: {type: int, default: None}
      flag: {type: bool, default: False}
      name: str
      data: {type: path, default: data/a.csv}
      where: {type: uri, default: "s3://bucket/x"}
    command: run {alpha} {count} {flag} {name} {data} {where}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    project = tmp_path / "project"
    (project / "data").mkdir(parents=True)
    (project / "data" / "a.csv").touch()
    (project / "MLproject").write_text(MLPROJECT)
    return project


def resolve(
    folder: Path, given: Mapping[str, JsonValue], *, trusted: bool = True, here: bool = True
) -> ResolvedCommand:
    entry_point = load_mlproject(folder).entry_point("main")
    return resolve_command(
        entry_point, {"name": "n", **given}, directory=folder, trusted=trusted, site_is_here=here
    )


def problems(folder: Path, given: Mapping[str, JsonValue], *, trusted: bool = True) -> str:
    with pytest.raises(ConfigError) as caught:
        resolve(folder, given, trusted=trusted)
    return str(caught.value)


def test_defaults_fill_what_is_not_given(folder: Path) -> None:
    resolved = resolve(folder, {})
    assert resolved.parameters == {
        "alpha": "0.5",
        "count": "None",
        "flag": "False",
        "name": "n",
        "data": "data/a.csv",
        "where": "s3://bucket/x",
    }
    assert resolved.command == 'run 0.5 None False n "$MANTIK_WORKING_DIRECTORY"/data/a.csv s3://bucket/x'


@pytest.mark.parametrize(
    ("given", "text"), [("3.10", "3.10"), (0.1, "0.1"), (True, "True"), (7, "7"), (["a", 1], '["a", 1]')]
)
def test_values_become_text(folder: Path, given: JsonValue, text: str) -> None:
    assert resolve(folder, {"name": given}).parameters["name"] == text


def test_a_missing_required_parameter_is_named(folder: Path) -> None:
    entry_point = load_mlproject(folder).entry_point("main")
    with pytest.raises(ConfigError, match="required parameters name"):
        resolve_command(entry_point, {}, directory=folder, trusted=True, site_is_here=True)


def test_an_undeclared_parameter_lists_the_declared_ones(folder: Path) -> None:
    assert "'alhpa' is not declared; declared are alpha, count, data" in problems(folder, {"alhpa": 1})


@pytest.mark.parametrize("value", ["abc", "", "1,5", "0x1p3z"])
def test_a_float_that_is_none(folder: Path, value: str) -> None:
    assert "is not a number" in problems(folder, {"alpha": value})


@pytest.mark.parametrize("value", ["1.5", "one", "1e3"])
def test_an_int_that_is_none(folder: Path, value: str) -> None:
    assert "is not a whole number" in problems(folder, {"count": value})


@pytest.mark.parametrize("value", ["1e-6", "-0.5", "nan", "1"])
def test_floats_in_any_spelling_stay_as_they_are(folder: Path, value: str) -> None:
    assert resolve(folder, {"alpha": value}).parameters["alpha"] == value


def test_every_problem_comes_at_once(folder: Path) -> None:
    text = problems(folder, {"alpha": "x", "count": "y", "other": 1, "where": "no uri", "flag": None})
    for word in ("alpha", "count", "'other'", "where", "flag"):
        assert word in text


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_text_that_no_program_can_be_given(folder: Path, value: str) -> None:
    assert "name" in problems(folder, {"name": value})


def test_a_file_outside_is_staged_and_its_path_there_is_told(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "more data.csv"
    outside.touch()
    resolved = resolve(folder, {"data": str(outside)})
    assert [(item.url, item.path) for item in resolved.inputs] == [
        (str(outside), "inputs/data/more data.csv")
    ]
    assert shlex.split(resolved.command)[5] == "$MANTIK_WORKING_DIRECTORY/inputs/data/more data.csv"


def test_a_url_is_staged(folder: Path) -> None:
    resolved = resolve(folder, {"data": "memory://bucket/deep/x.csv"})
    assert [(item.url, item.path) for item in resolved.inputs] == [
        ("memory://bucket/deep/x.csv", "inputs/data/x.csv")
    ]


def test_a_url_of_a_kind_that_nobody_knows(folder: Path) -> None:
    assert "fsspec knows no nonsense://" in problems(folder, {"data": "nonsense://x/y"})


def test_a_relative_path_begins_in_the_project(folder: Path) -> None:
    assert resolve(folder, {"data": "./data/../data/a.csv"}).inputs == ()


def test_a_missing_file_here_is_an_error(folder: Path) -> None:
    assert "there is no /nowhere/x" in problems(folder, {"data": "/nowhere/x"})


def test_a_missing_absolute_file_elsewhere_is_a_path_on_the_site(folder: Path) -> None:
    resolved = resolve(folder, {"data": "/p/scratch/x y"}, here=False)
    assert "'/p/scratch/x y'" in resolved.command
    assert "taken as a path on the site" in resolved.warnings[0]


def test_a_project_from_elsewhere_can_not_have_our_files_by_default(folder: Path) -> None:
    (folder / "MLproject").write_text(MLPROJECT.replace("data/a.csv", "/etc/passwd"))
    assert "lies outside of the project" in problems(folder, {}, trusted=False)


def test_a_person_may_give_such_a_project_a_file(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "b.csv"
    outside.touch()
    assert resolve(folder, {"data": str(outside)}, trusted=False).inputs[0].url == str(outside)


def test_a_file_that_is_excluded_travels_if_a_parameter_names_it(folder: Path) -> None:
    entry_point = load_mlproject(folder).entry_point("main")
    resolved = resolve_command(
        entry_point, {"name": "n"}, directory=folder, exclude=["data/"], trusted=True, site_is_here=True
    )
    assert [(item.url, item.path) for item in resolved.inputs] == [
        (str(folder / "data/a.csv"), "inputs/data/a.csv")
    ]


@pytest.mark.parametrize(
    "url", ["simplecache::file:///etc/passwd", "simplecache://::file:///x", "s3://mine/x"]
)
def test_a_project_from_elsewhere_can_not_have_our_stores_by_default(folder: Path, url: str) -> None:
    (folder / "MLproject").write_text(MLPROJECT.replace("data/a.csv", f'"{url}"'))
    assert "could read what only you may read" in problems(folder, {}, trusted=False)
