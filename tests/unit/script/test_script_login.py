"""The commands for a login node."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mantik_tasks.models import RunSpec
from mantik_tasks.script.render import render

MakeSpec = Callable[..., RunSpec]


def login_pre_run(make_spec: MakeSpec, *commands: str, **environment: Any) -> str:
    keys = {"PreRunCommandOnLoginNode": list(commands), **environment}
    text = render(make_spec(backend={"Slurm": {}}, Environment=keys)).login_pre_run
    assert text is not None
    return text


def test_there_is_no_script_without_commands(make_spec: MakeSpec) -> None:
    script = render(make_spec(backend={"Slurm": {}}))
    assert (script.login_pre_run, script.login_post_run, script.job_description) == (None, None, None)


def test_commands_share_a_shell_in_the_run_directory(node: Any, make_spec: MakeSpec) -> None:
    text = login_pre_run(
        make_spec,
        'probe zero; cd /\nprobe one "$VALUE"\ncd "$UC_WORKING_DIRECTORY"; export LATER=yes',
        'probe two "$LATER" "$MANTIK_WORKING_DIRECTORY"',
        Variables={"VALUE": "$HOME/x y"},
    )
    assert node.run(text, directory=Path("/")).returncode == 0
    assert [(call.directory, *call.argv) for call in node.calls()] == [
        (str(node.run_directory), "zero"),
        ("/", "one", f"{node.home}/x y"),
        (str(node.run_directory), "two", "yes", str(node.run_directory)),
    ]


@pytest.mark.parametrize(
    ("commands", "number", "code"),
    [
        (["exit 3", "probe"], 1, 3),
        (["true", "true\n(exit 4)\nprobe"], 2, 4),
        (["set +e\n(exit 5)", "probe"], 1, 5),
    ],
)
def test_failing_command_is_named_and_its_code_kept(
    node: Any, make_spec: MakeSpec, commands: list[str], number: int, code: int
) -> None:
    done = node.run(login_pre_run(make_spec, *commands))
    assert done.returncode == code
    assert f'mantik: step "PreRunCommandOnLoginNode {number}" failed with exit code {code}\n' == done.stderr
    assert node.calls() == []


def test_variable_for_the_compute_node_stops_nothing(node: Any, make_spec: MakeSpec) -> None:
    text = login_pre_run(make_spec, "probe", Variables={"GPUS": "$(no-such-program)"})
    assert node.run(text).returncode == 0
    assert len(node.calls()) == 1


def test_directory_is_where_it_is_started_if_nothing_says_otherwise(node: Any, make_spec: MakeSpec) -> None:
    environment = node.environment()
    del environment["MANTIK_WORKING_DIRECTORY"]
    assert node.run(login_pre_run(make_spec, "probe"), environment).returncode == 0
    [call] = node.calls()
    assert call.environment["MANTIK_WORKING_DIRECTORY"] == str(node.run_directory)


def test_post_run_commands_have_their_own_script(node: Any, make_spec: MakeSpec) -> None:
    script = render(make_spec(Environment={"PostRunCommandOnLoginNode": "probe; false"}))
    assert script.login_pre_run is None
    assert 'step "PostRunCommandOnLoginNode 1" failed' in node.run(script.login_post_run).stderr
