"""Warnings, rules between keys, and hints for unknown ones."""

from collections.abc import Callable
from typing import Any

import pytest

Load = Callable[..., Any]
Problems = Callable[..., tuple[str, ...]]


def test_cpus_per_node_alone_is_explained(load: Load) -> None:
    (warning,) = load("Slurm:\nResources:\n  CPUsPerNode: 48").warnings
    assert warning.startswith(
        "c.yaml:3: Resources.CPUsPerNode: alone means one task per node with that many CPUs"
    )


@pytest.mark.parametrize("other", ["TasksPerNode", "CPUsPerTask", "TotalCPUs"])
def test_cpus_per_node_with_a_number_of_tasks_is_not(load: Load, other: str) -> None:
    assert load({"Slurm": {}, "Resources": {"CPUsPerNode": 48, other: 4}}).warnings == ()


@pytest.mark.parametrize("name", ["MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID"])
def test_what_the_run_sets_itself_is_dropped_with_a_warning(load: Load, name: str) -> None:
    loaded = load({"Local": {}, "Environment": {"Variables": {name: "1", "MLFLOW_X": "2"}}})
    assert loaded.config.environment.variables == {"MLFLOW_X": "2"}
    assert loaded.warnings == (
        f"config: Environment.Variables.{name}: is set by the run; the value given here is ignored",
    )


@pytest.mark.parametrize(
    "name", ["HF_TOKEN", "Password", "AWS_SECRET_ACCESS_KEY", "WANDB_API_KEY", "MY_CREDENTIALS"]
)
def test_a_variable_that_looks_like_a_secret_is_warned_of_without_its_value(load: Load, name: str) -> None:
    (warning,) = load({"Local": {}, "Environment": {"Variables": {name: "hunter2"}}}).warnings
    assert warning.startswith(f"config: Environment.Variables.{name}: looks like a secret")
    assert "hunter2" not in warning


@pytest.mark.parametrize(
    ("name", "value"), [("TOKENIZERS_PARALLELISM", "1"), ("MAX_TOKENS", "1"), ("HF_TOKEN", "$(cat ~/t)")]
)
def test_a_variable_that_only_sounds_like_one_is_not(load: Load, name: str, value: str) -> None:
    assert load({"Local": {}, "Environment": {"Variables": {name: value}}}).warnings == ()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("./main.py", "main.py"),
        ("././a", "a"),
        ("!./keep", "!keep"),
        ("./sub/x", "sub/x"),
        ("./data/", "data/"),
    ],
)
def test_mantiks_dot_slash_is_dropped_with_a_warning(load: Load, written: str, read: str) -> None:
    loaded = load({"Local": {}, "Exclude": [written]})
    assert loaded.config.exclude == (read,)
    assert loaded.warnings == (f"config: Exclude[0]: is read as {read}, which is how gitignore writes it",)


@pytest.mark.parametrize("pattern", ["*.sif", "data/", "!keep", "**/*.png", "sub/x", r"\!x", "a b", ".git*"])
def test_gitignore_patterns_stay_as_they_are(load: Load, pattern: str) -> None:
    loaded = load({"Local": {}, "Exclude": pattern})
    assert (loaded.config.exclude, loaded.warnings) == ((pattern,), ())


@pytest.mark.parametrize(
    "pattern", ["/abs", "!/abs", ".//abs", "..", "../x", "a/../b", "", " ", "./", "!", "#x", "a\nb"]
)
def test_a_pattern_that_leaves_the_project_or_says_nothing_is_refused(
    problems_of: Problems, pattern: str
) -> None:
    (problem,) = problems_of({"Local": {}, "Exclude": ["ok", pattern]})
    assert problem.startswith("config: Exclude[1]: ")


def test_two_backends_are_refused_with_both_lines(problems_of: Problems) -> None:
    assert problems_of("Slurm: {}\nResources: {}\nLocal: {}") == (
        "c.yaml:3: Local: a second backend, beside Slurm in c.yaml:1: keep one",
    )


def test_firecrest_refuses_login_node_commands_but_not_an_empty_list(
    load: Load, problems_of: Problems
) -> None:
    site = {"ApiUrl": "https://a.b", "TokenUrl": "https://c.d", "Machine": "m"}
    base = {"Firecrest": site, "Resources": {"Queue": "q"}}
    assert load(base | {"Environment": {"PreRunCommandOnLoginNode": []}}).warnings == ()
    (problem,) = problems_of(base | {"Environment": {"PostRunCommandOnLoginNode": ["ls"]}})
    assert "firecREST can't run commands on a login node" in problem


@pytest.mark.parametrize("path", ["/images/a.sif", "$HOME/a.sif", "${PROJECT}/a.sif"])
def test_a_remote_image_is_absolute(load: Load, problems_of: Problems, path: str) -> None:
    for kind in ("remote", "REMOTE"):
        image = {"Slurm": {}, "Environment": {"Apptainer": {"Path": path, "Type": kind}}}
        assert load(image).config.environment.apptainer.path == path
        (problem,) = problems_of({"Slurm": {}, "Environment": {"Apptainer": {"Type": kind, "Path": "a.sif"}}})
        assert "must be absolute" in problem


@pytest.mark.parametrize(
    ("config", "hint"),
    [
        ({"resources": {}}, "did you mean Resources? Capitals matter"),
        ({"queue": "q"}, "Queue belongs under Resources"),
        ({"Resources": {"Account": "a"}}, "Account belongs at the top level"),
        ({"Path": "a"}, "Path belongs under Environment.Apptainer or Path belongs under Environment.Python"),
        ({"Environmnt": {}}, "did you mean Environment?"),
        ({"PreRunCommandOnLoginNod": "a"}, "did you mean Environment.PreRunCommandOnLoginNode?"),
        ({"Environment": {"SEED": 1}}, "a variable belongs under Environment.Variables"),
        ({"Environment": {"Python": {"Version": 3}}}, "valid are Path"),
    ],
)
def test_an_unknown_key_leads_to_the_right_one(
    problems_of: Problems, config: dict[str, object], hint: str
) -> None:
    assert any(problem.endswith(f"unknown key: {hint}") for problem in problems_of({"Slurm": {}} | config))


def test_a_site_on_this_host_has_no_keys(problems_of: Problems) -> None:
    assert problems_of("Local: {Port: 22}") == ("c.yaml:1: Local.Port: unknown key: Port belongs under SSH",)
    assert problems_of("Slurm: yes") == ("c.yaml:1: Slurm: must be {}",)
