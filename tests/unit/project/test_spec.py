"""From what a person asked for to a run, or every problem with it at once."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mantik_tasks.config.defaults import ConfigDefaults
from mantik_tasks.config.models import BackendKind
from mantik_tasks.errors import ConfigError
from mantik_tasks.models import RunSpec
from mantik_tasks.project.spec import make_spec

Project = Callable[[str], Path]


def problems(project: Path, **options: object) -> str:
    with pytest.raises(ConfigError) as caught:
        make_spec(str(project), **options)  # type: ignore[arg-type] # a test may ask for nonsense
    return str(caught.value)


def test_a_spec_survives_json(project: Project) -> None:
    spec = make_spec(str(project("wine")), entry_point="train")
    assert RunSpec.model_validate_json(spec.model_dump_json()) == spec


def test_a_config_may_be_given_by_its_keys(project: Project) -> None:
    folder = project("package")
    spec = make_spec(str(folder), parameters={"low": 1}, config={"Local": {}, "Account": "a"})
    assert (spec.config.account, spec.config_source) == ("a", "config")


def test_a_block_may_say_it_all(project: Project) -> None:
    defaults = ConfigDefaults(name="block here", keys={"Local": {}})
    spec = make_spec(str(project("package")), parameters={"low": 1}, defaults=defaults)
    assert (spec.config.backend, spec.config_source) == (BackendKind.LOCAL, "block here")


def test_without_any_config_it_says_what_to_do(project: Project) -> None:
    assert "has no compute-backend-config.yaml" in problems(project("package"), parameters={"low": 1})


def test_two_configs_must_be_told_apart(project: Project) -> None:
    folder = project("echo")
    (folder / "compute-backend-config.json").write_text('{"Local": {}}')
    assert "name the one to use" in problems(folder, parameters={"first": 1})


def test_problems_of_project_config_parameters_and_files_come_together(project: Project) -> None:
    folder = project("echo")
    (folder / "compute-backend-config.yaml").write_text("Local: {}\nNonsense: 1\n")
    (folder / "MLproject").write_text("entry_points: {main: {command: 'x {y}'}}")
    text = problems(folder)
    assert "compute-backend-config.yaml:2: Nonsense" in text
    assert "uses {y}" in text


@pytest.mark.parametrize("config", ["../outside.yaml", "link.yaml"])
def test_a_config_outside_of_the_project(project: Project, config: str) -> None:
    folder = project("echo")
    (folder.parent / "outside.yaml").write_text("Local: {}\n")
    (folder / "link.yaml").symlink_to("../outside.yaml")
    assert "lies outside of the project" in problems(folder, config=config, parameters={"first": 1})


def test_a_person_may_name_a_config_elsewhere(project: Project) -> None:
    folder = project("echo")
    outside = folder.parent / "outside.yaml"
    outside.write_text("Local: {}\nAccount: theirs\n")
    spec = make_spec(str(folder), config=str(outside), parameters={"first": 1})
    assert spec.config.account == "theirs"


def test_a_link_out_of_the_project_is_refused_with_the_rest(project: Project) -> None:
    folder = project("echo")
    (folder / "passwd").symlink_to("/etc/passwd")
    assert "'passwd': is a link out of the project" in problems(folder, parameters={"first": 1})


def with_image(folder: Path, path: str) -> dict[str, object]:
    (folder / "sub").mkdir(exist_ok=True)
    (folder / "sub" / "image.sif").touch()
    return {"Local": {}, "Environment": {"Apptainer": {"Path": path}}, "Exclude": ["*.sif"]}


def test_an_image_of_the_project_is_uploaded(project: Project) -> None:
    folder = project("echo")
    config = with_image(folder, "sub/image.sif")
    spec = make_spec(str(folder), config=config, parameters={"first": 1})  # type: ignore[arg-type] # plain keys
    assert spec.image == str(folder / "sub" / "image.sif")


@pytest.mark.parametrize(
    ("path", "expected"),
    [("missing.sif", "there is no file missing.sif"), ("../x.sif", "lies outside of the project")],
)
def test_an_image_that_can_not_be_uploaded(project: Project, path: str, expected: str) -> None:
    folder = project("echo")
    assert expected in problems(folder, config=with_image(folder, path), parameters={"first": 1})


def test_what_a_person_should_know_stops_nothing(project: Project) -> None:
    folder = project("echo")
    mlproject = folder / "MLproject"
    mlproject.write_text(f"conda_env: x.yaml\n{mlproject.read_text()}")
    (folder / "train.py").write_text("import mlflow\nmlflow.set_experiment('mine')\n")
    warnings = make_spec(str(folder), parameters={"first": 1}).warnings
    assert any("train.py:2" in warning for warning in warnings)
    assert any("conda_env is not used" in warning for warning in warnings)


def test_a_project_of_ten_thousand_files_simply_works(project: Project) -> None:
    folder = project("echo")
    for number in range(100):
        (folder / "many" / str(number)).mkdir(parents=True)
        for name in range(100):
            (folder / "many" / str(number) / str(name)).touch()
    assert make_spec(str(folder), parameters={"first": 1}).warnings == ()
