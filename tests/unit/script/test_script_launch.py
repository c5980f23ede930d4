"""How the entry point is started, and that its words arrive byte for byte."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mantik_tasks.errors import ConfigError
from mantik_tasks.models import RunSpec
from mantik_tasks.script.launch import needs_shell
from mantik_tasks.script.render import render

Job = Callable[..., str]
MakeSpec = Callable[..., RunSpec]
SLURM: dict[str, Any] = {"Slurm": {}}
IMAGE = {"Apptainer": {"Path": "my image.sif"}}
VALUES = ["", "a b", "it's", 'say "x"', "$HOME", "$(id)", "`id`", "two\nlines", "\r\n\t\x1b", "#SBATCH", "*"]
VALUES += ["~", "-x", "ü→🙂", "a;b&c|d>e<f(g)", "\\", "\\n", "!!", "{a,b}", "--", "A=1"]
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)


@pytest.fixture
def venv(tmp_path: Path) -> Path:
    folder = tmp_path / "home" / "my venv"
    (folder / "bin").mkdir(parents=True)
    (folder / "bin" / "activate").write_text('hash nothing\nexport VENV="my venv"\n[ $# = 0 ]\n')
    return folder


@pytest.fixture
def ways(venv: Path) -> dict[str, Any]:
    return {"plain": {}, "venv": {"Python": str(venv)}, "apptainer": IMAGE}


def run_on_slurm(node: Any, make_spec: MakeSpec, command: str, **environment: Any) -> Any:
    text = render(make_spec(command, SLURM, Environment=environment)).job
    assert "\r" not in text, "sbatch refuses scripts with carriage returns"
    return node.run(text, node.environment(SLURM_JOB_ID="1"))


@pytest.mark.parametrize("way", ["plain", "venv", "apptainer"])
def test_parameters_arrive_byte_for_byte(
    node: Any, make_spec: MakeSpec, ways: dict[str, Any], way: str
) -> None:
    done = run_on_slurm(node, make_spec, shlex.join(["probe", *VALUES]), **ways[way])
    assert done.returncode == 0
    assert [call.argv for call in node.calls("probe")] == [tuple(VALUES)]


@pytest.mark.parametrize("way", ["plain", "venv", "apptainer"])
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(TEXT, min_size=20, max_size=40))
def test_any_parameters_arrive_byte_for_byte(
    node: Any, make_spec: MakeSpec, ways: dict[str, Any], way: str, values: list[str]
) -> None:
    node.forget()
    assert run_on_slurm(node, make_spec, shlex.join(["probe", *values]), **ways[way]).returncode == 0
    assert [call.argv for call in node.calls("probe")] == [tuple(values)]


def test_plain_command_runs_once_in_a_shell(node: Any, make_spec: MakeSpec) -> None:
    run_on_slurm(node, make_spec, 'X=1 && probe "$X" | cat\nprobe "$MANTIK_WORKING_DIRECTORY"/a')
    assert [(call.name, *call.argv) for call in node.calls()] == [
        ("probe", "1"),
        ("probe", f"{node.run_directory}/a"),
    ]


def test_venv_is_active_for_the_command_and_what_follows(node: Any, make_spec: MakeSpec, venv: Path) -> None:
    run_on_slurm(
        node, make_spec, "probe", Python="$HOME/my venv", PostRunCommandOnComputeNode='probe "$VENV"'
    )
    assert [call.environment.get("VENV") for call in node.calls()] == ["my venv", "my venv"]


def test_apptainer_is_started_by_srun_with_the_words_of_the_command(node: Any, make_spec: MakeSpec) -> None:
    run_on_slurm(node, make_spec, "probe --alpha 0.5 'a b'", **IMAGE)
    run = str(node.run_directory)
    image = f"{run}/my image.sif"
    words = ("apptainer", "run", "--bind", run, image, "probe", "--alpha", "0.5", "a b")
    assert [(call.name, *call.argv) for call in node.calls()] == [
        ("srun", *words),
        words,
        ("probe", "--alpha", "0.5", "a b"),
    ]
    assert node.calls("apptainer")[0].directory == run


def test_command_with_operators_gets_a_shell_in_the_image(node: Any, make_spec: MakeSpec) -> None:
    command = "probe 'a b' && probe c\n"
    run_on_slurm(node, make_spec, command, **IMAGE)
    assert node.calls("apptainer")[0].argv[-3:] == ("bash", "-c", command.strip())
    assert [call.argv for call in node.calls("probe")] == [("a b",), ("c",)]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("python train.py --alpha 0.5", False),
        ("python -c 'import x; print(1 > 0)' \"a && b\" a\\;b --x='y|z'", False),
        ("python 'two\nlines' $DATA/*.csv {a,b}", False),
        ("a && b", True),
        ("a; b", True),
        ("a | b", True),
        ("a > b", True),
        ("a\nb", True),
        ("(a)", True),
        ("a $(b)", True),
        ("A=1 python x", True),
        ("python x A=1", False),
        ("source env.sh", True),
        ("sourcery env.sh", False),
        ("echo 'open", True),
    ],
)
def test_command_needs_a_shell_if_it_is_more_than_one_program(command: str, expected: bool) -> None:
    assert needs_shell(command) is expected


def test_apptainer_options_are_words_with_expansions(node: Any, make_spec: MakeSpec) -> None:
    options = ["--nv", "-B $HOME/in:/in", "--env 'A=b c'", "-B $(printf 'd e'):/d", "-B ~/x:/x", "a;b|c`d`"]
    run_on_slurm(node, make_spec, "probe", Apptainer={"Path": "i.sif", "Options": options})
    home = str(node.home)
    expected = [
        "--nv",
        "-B",
        f"{home}/in:/in",
        "--env",
        "A=b c",
        "-B",
        "d e:/d",
        "-B",
        f"{home}/x:/x",
        "a;b|c`d`",
    ]
    assert list(node.calls("apptainer")[0].argv[3:-2]) == expected


def test_apptainer_option_with_an_open_quote_is_refused(make_spec: MakeSpec) -> None:
    spec = make_spec(Environment={"Apptainer": {"Path": "i.sif", "Options": ["--env 'A"]}})
    with pytest.raises(ConfigError, match=r"Environment\.Apptainer\.Options"):
        render(spec)


@pytest.mark.parametrize(
    ("apptainer", "expected"),
    [
        ({"Path": "./images/i.sif"}, "{run}/images/i.sif"),
        ({"Path": "$X `y`.sif"}, "{run}/$X `y`.sif"),
        ({"Path": "/home/me/images/i.sif"}, "{run}/i.sif"),
        ({"Path": "/site/my i.sif", "Type": "remote"}, "/site/my i.sif"),
        ({"Path": "$HOME/i`x`.sif", "Type": "remote"}, "{home}/i`x`.sif"),
    ],
)
def test_image_is_where_it_was_staged_or_where_the_site_has_it(
    node: Any, make_spec: MakeSpec, apptainer: dict[str, str], expected: str
) -> None:
    run_on_slurm(node, make_spec, "probe", Apptainer=apptainer)
    image = node.calls("apptainer")[0].argv[3]
    assert image == expected.format(run=node.run_directory, home=node.home)


UNICORE = {"UnicoreApiUrl": "https://unicore.example.org/SITE/rest/core"}


@pytest.mark.parametrize(
    ("backend", "environment", "names"),
    [
        (SLURM, IMAGE, ["srun", "apptainer", "probe"]),
        (SLURM, IMAGE | {"Launcher": "none"}, ["apptainer", "probe"]),
        (SLURM, {}, ["probe"]),
        (SLURM, {"Launcher": "srun"}, ["srun", "probe"]),
        ({"Local": {}}, IMAGE, ["apptainer", "probe"]),
        (UNICORE, IMAGE, ["apptainer", "probe"]),
        (UNICORE, IMAGE | {"Launcher": "srun"}, ["srun", "apptainer", "probe"]),
    ],
)
def test_launcher_is_the_backends_unless_the_config_names_one(
    node: Any, job: Job, backend: dict[str, Any], environment: dict[str, Any], names: list[str]
) -> None:
    text = job("probe", backend, **environment)
    variables = {"SLURM_JOB_ID": "1", "UC_WORKING_DIRECTORY": str(node.run_directory)}
    assert node.run(text, node.environment(**variables)).returncode == 0
    assert [call.name for call in node.calls()] == names


@pytest.mark.parametrize(
    ("resources", "options"),
    [
        ({}, []),
        ({"CPUsPerNode": 48}, ["--ntasks=2", "--ntasks-per-node=1"]),
        ({"TasksPerNode": 4}, ["--ntasks=8", "--ntasks-per-node=4"]),
        ({"TotalCPUs": 6, "Nodes": 2, "CPUsPerNode": 48}, ["--ntasks=6", "--ntasks-per-node=3"]),
    ],
)
def test_srun_on_unicore_is_told_how_many_tasks_are_meant(
    node: Any, make_spec: MakeSpec, resources: dict[str, int], options: list[str]
) -> None:
    spec = make_spec("probe", UNICORE, Resources=resources, Environment={"Launcher": "srun"})
    variables = {"UC_WORKING_DIRECTORY": str(node.run_directory), "SLURM_JOB_NUM_NODES": "2"}
    node.run(render(spec).job, node.environment(**variables))
    assert node.calls("srun")[0].argv == (*options, "bash", "-c", "probe")
