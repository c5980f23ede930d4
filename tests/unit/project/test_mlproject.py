"""MLproject files as people write them, read with MLflow's own loader."""

from pathlib import Path

import pytest
from mlflow.projects import _project_spec

from mantik_tasks.errors import ConfigError
from mantik_tasks.project.mlproject import MLproject, load_mlproject


def project(folder: Path, text: str, name: str = "MLproject") -> MLproject:
    (folder / name).write_text(text, encoding="utf-8")
    return load_mlproject(folder)


def problem(folder: Path, text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        project(folder, text).entry_point("main").command({})
    return str(caught.value)


def test_mlflow_s_private_loader_is_what_we_think_it_is(tmp_path: Path) -> None:
    (tmp_path / "MLproject").write_text("entry_points: {main: {parameters: {a: int}, command: 'x {a}'}}")
    loaded = _project_spec.load_project(str(tmp_path))  # type: ignore[no-untyped-call] # MLflow's own
    entry_point = loaded.get_entry_point("main")
    assert entry_point.compute_command({"a": "1"}, None) == "x 1"
    assert entry_point.parameters["a"].type == "int"
    assert entry_point.parameters["a"].default is None


def test_entry_points_parameters_and_defaults(tmp_path: Path) -> None:
    read = project(
        tmp_path,
        "name: p\nentry_points:\n  main:\n    parameters:\n      a: float\n"
        "      b: {type: int, default: 3}\n      c: {default: x}\n    command: run {a} {b} {c}\n",
    )
    declared = read.entry_point("main").declared
    assert {name: (item.type, item.default) for name, item in declared.items()} == {
        "a": ("float", None),
        "b": ("int", "3"),
        "c": ("string", "x"),
    }
    assert read.name == "p"
    assert read.entry_point("main").command({"a": "1", "b": "3", "c": "x"}) == "run 1 3 x"


@pytest.mark.parametrize("parameters", ["parameters:", "parameters: {}", ""])
def test_an_entry_point_without_parameters(tmp_path: Path, parameters: str) -> None:
    read = project(tmp_path, f"entry_points:\n  main:\n    {parameters}\n    command: run\n")
    assert read.entry_point("main").command({}) == "run"


def test_a_folded_command_becomes_one_line(tmp_path: Path) -> None:
    read = project(tmp_path, "entry_points:\n  main:\n    command: >\n      run\n      --a 1\n      --b 2\n")
    assert read.entry_point("main").command({}) == "run --a 1 --b 2"


def test_unusual_type_names_are_kept(tmp_path: Path) -> None:
    read = project(tmp_path, "entry_points: {main: {parameters: {a: str, b: bool}, command: 'x {a} {b}'}}")
    assert [item.type for item in read.entry_point("main").declared.values()] == ["str", "bool"]


def test_the_file_s_name_may_have_any_case(tmp_path: Path) -> None:
    assert project(tmp_path, "entry_points: {main: {command: run}}", "mlproject").entry_points == ("main",)


def test_a_script_of_the_project_is_an_entry_point(tmp_path: Path) -> None:
    (tmp_path / "other.py").touch()
    read = project(tmp_path, "entry_points: {main: {command: run}}")
    assert read.entry_point("other.py").command({"n": "1"}) == "python other.py --n 1"
    (tmp_path.parent / "outside.py").touch()
    for name in ("missing.py", "../outside.py", str(tmp_path.parent / "outside.py")):
        with pytest.raises(ConfigError, match="no entry point"):
            read.entry_point(name)


def test_environment_keys_are_told_but_not_used(tmp_path: Path) -> None:
    read = project(tmp_path, "python_env: nowhere.yaml\nentry_points: {main: {command: run}}")
    assert read.unused == ("python_env",)


def test_an_unknown_entry_point_names_those_there_are(tmp_path: Path) -> None:
    read = project(tmp_path, "entry_points: {train: {command: run}, predict: {command: run}}")
    with pytest.raises(ConfigError, match="choose one of predict, train"):
        read.entry_point("main")


def test_a_folder_without_the_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no MLproject file"):
        load_mlproject(tmp_path)


def test_a_file_that_is_a_link_out_of_the_project(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text("entry_points: {main: {command: run}}")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "MLproject").symlink_to(outside)
    with pytest.raises(ConfigError, match="leads out of the project"):
        load_mlproject(folder)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "MLproject"),
        ("name: p\n", "declares no entry points"),
        ("entry_points:\n", "declares no entry points"),
        ("- a\n", "MLproject"),
        ("entry_points: [a]\n", "entry_points must map names"),
        ("entry_points: {main: run}\n", "entry_points.main: must hold a command"),
        ("entry_points: {main: {parameters: {a: int}}}\n", "entry_points.main.command"),
        ("entry_points: {main: {parameters: [a], command: x}}\n", "entry_points.main.parameters"),
        ("entry_points: {main: {parameters: {a: }, command: 'x {a}'}}\n", "entry_points.main.parameters.a"),
        (
            "conda_env: a\ndocker_env: {image: b}\nentry_points: {main: {command: x}}\n",
            "conda_env and docker_env",
        ),
        ("entry_points:\n\tmain: x\n", "MLproject:2"),
        ("entry_points: {main: {command: 'x {y}'}}\n", "uses {y}"),
        ("entry_points: {main: {command: 'x ${1}'}}\n", "double"),
        ("entry_points: {main: {command: 'x }'}}\n", "double"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, text: str, expected: str) -> None:
    assert expected in problem(tmp_path, text)
