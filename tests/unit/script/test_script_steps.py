"""The order of a job's steps, and what happens when one fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mantik_tasks.models import RunSpec
from mantik_tasks.script.render import render

Job = Callable[..., str]


def test_steps_run_in_order_and_share_one_shell(node: Any, job: Job) -> None:
    text = job(
        "probe main $FROM_PRE_RUN",
        Variables={"GREETING": "hello"},
        Modules=["Stages/2025", "Python"],
        PreRunCommandOnComputeNode=['probe first "$GREETING"; export FROM_PRE_RUN=1; cd /', "probe second"],
        PostRunCommandOnComputeNode=["probe third", 'probe fourth "$FROM_PRE_RUN"'],
    )
    done = node.run(text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [(call.name, *call.argv) for call in node.calls()] == [
        ("module", "load", "Stages/2025", "Python"),
        ("probe", "first", "hello"),
        ("probe", "second"),
        ("probe", "main", "1"),
        ("probe", "third"),
        ("probe", "fourth", "1"),
    ]
    run_directory = str(node.run_directory)
    assert [call.directory for call in node.calls("probe")] == [run_directory, "/", *[run_directory] * 3]


def test_output_of_all_steps_is_in_the_log(node: Any, job: Job) -> None:
    node.run(
        job(
            "echo two; echo three >&2",
            PreRunCommandOnComputeNode="echo one",
            PostRunCommandOnComputeNode="echo four",
        )
    )
    assert node.log == "one\ntwo\nthree\nfour\n"


def test_commands_have_nothing_to_read(node: Any, job: Job) -> None:
    node.run(job("readlink /proc/self/fd/0", PreRunCommandOnComputeNode="readlink /proc/self/fd/0"))
    assert node.log == "/dev/null\n" * 2


@pytest.mark.parametrize(
    ("step", "code", "environment", "command"),
    [
        ("Variables: X", 4, {"Variables": {"W": "1", "X": "$(exit 4)"}}, "probe"),
        ("Variables: X", 2, {"Variables": {"X": "$(if)"}}, "probe"),
        ("Modules: good broken", 1, {"Modules": ["good", "broken"]}, "probe"),
        ("PreRunCommandOnComputeNode 1", 3, {"PreRunCommandOnComputeNode": ["exit 3", "probe"]}, "probe"),
        (
            "PreRunCommandOnComputeNode 2",
            5,
            {"PreRunCommandOnComputeNode": ["true", "true\n(exit 5)\ntrue"]},
            "probe",
        ),
        ("PreRunCommandOnComputeNode 1", 6, {"PreRunCommandOnComputeNode": "(exit 6) | cat"}, "probe"),
        (
            "PreRunCommandOnComputeNode 1",
            7,
            {"PreRunCommandOnComputeNode": ["set +e +o pipefail\nfalse\n(exit 7)", "probe"]},
            "probe",
        ),
        (
            "PreRunCommandOnComputeNode 2",
            8,
            {"PreRunCommandOnComputeNode": ["set +e +o pipefail", "(exit 8)\ntrue"]},
            "probe",
        ),
        ("PreRunCommandOnComputeNode 1", 2, {"PreRunCommandOnComputeNode": ["echo 'open", "probe"]}, "probe"),
        ("Python: /nowhere/venv", 1, {"Python": "/nowhere/venv"}, "probe"),
        ("main", 9, {"PostRunCommandOnComputeNode": ["probe", "probe"]}, "exit 9"),
        ("main", 127, {}, "no-such-program"),
        ("PostRunCommandOnComputeNode 1", 11, {"PostRunCommandOnComputeNode": ["exit 11", "probe"]}, "true"),
        (
            "PostRunCommandOnComputeNode 2",
            12,
            {"PostRunCommandOnComputeNode": ["true", "(exit 12)\ntrue"]},
            "true",
        ),
    ],
)
def test_failing_step_ends_the_job_with_its_code_and_is_named(
    node: Any, job: Job, step: str, code: int, environment: dict[str, Any], command: str
) -> None:
    done = node.run(job(command, **environment))
    assert done.returncode == code
    assert f'mantik: step "{step}" failed with exit code {code}\n' in node.log
    assert (node.result["exit_code"], node.result["step"]) == (code, step)
    assert node.calls("probe") == []


def test_failure_of_the_entry_point_survives_a_trap_of_the_user(node: Any, job: Job) -> None:
    text = job("exit 9", PreRunCommandOnComputeNode="trap 'exit 0' EXIT")
    assert node.run(text).returncode == 9
    assert (node.result["exit_code"], node.result["step"]) == (9, "main")


def test_exit_trap_of_the_user_runs_and_its_failure_counts(node: Any, job: Job) -> None:
    text = job("echo main", PreRunCommandOnComputeNode="trap 'echo bye; exit 6' EXIT")
    assert node.run(text).returncode == 6
    assert node.log.startswith("main\nbye\n")
    assert node.result["step"] == "EXIT trap"


@pytest.mark.parametrize("ending", ["exit 0", "exec true", "trap 'exit 0' EXIT; false"])
def test_ending_well_before_the_entry_point_is_no_success(node: Any, job: Job, ending: str) -> None:
    assert node.run(job(PreRunCommandOnComputeNode=[ending, "probe"])).returncode == 1
    assert node.calls("probe") == []
    assert (node.result["exit_code"], node.result["step"]) == (1, "PreRunCommandOnComputeNode 1")
    assert 'step "PreRunCommandOnComputeNode 1" ended the job before the entry point was done' in node.log


def test_exit_0_after_the_entry_point_is_a_success(node: Any, job: Job) -> None:
    text = job("true", PostRunCommandOnComputeNode=["exit 0", "probe"])
    assert node.run(text).returncode == 0
    assert (node.result["exit_code"], node.result["step"]) == (0, "main")


MEDDLING = [
    "cd /; unset MANTIK_WORKING_DIRECTORY",
    "set -u",
    "set -xv",
    "set -f; IFS=/",
    "set -C",
    "set -o posix; set -k",
    "shopt -s expand_aliases nullglob failglob; alias cd=false printf=false builtin=false",
    "cd() { return 1; }; mv() { return 1; }; cat() { return 1; }; printf() { return 1; }",
    "exec >/dev/null 2>&1",
    "exec 3>&- 4>&-",
    "trap 'echo trapped' ERR DEBUG EXIT TERM",
    "PATH=/nowhere:$PATH; export LC_ALL=C LANG=nonsense",
    "sleep 60 & disown",
    "HOSTNAME=other; _x=1; readonly EUID UID",
]


@pytest.mark.parametrize("meddling", MEDDLING)
def test_nothing_a_user_does_to_the_shell_changes_the_outcome(node: Any, job: Job, meddling: str) -> None:
    text = job(
        'probe "$MANTIK_WORKING_DIRECTORY"',
        PreRunCommandOnComputeNode=[meddling, ":"],
        PostRunCommandOnComputeNode=["(exit 5)"],
    )
    assert node.run(text).returncode == 5
    assert [(call.argv, call.directory) for call in node.calls("probe")] == [
        ((str(node.run_directory),), str(node.run_directory))
    ]
    assert (node.result["exit_code"], node.result["step"]) == (5, "PostRunCommandOnComputeNode 1")
    assert 'mantik: step "PostRunCommandOnComputeNode 1" failed with exit code 5' in node.log


def test_module_function_is_found_where_sites_keep_it(node: Any, job: Job, tmp_path: Path) -> None:
    (tmp_path / "bin" / "module").unlink()
    init = tmp_path / "modules home" / "init"
    init.mkdir(parents=True)
    (init / "bash").write_text('false\nmodule() { probe "$@"; export LOADED=$2; }\n')
    text = job('probe "$LOADED"', Modules=["a module", "$(x)"])
    assert node.run(text, node.environment(MODULESHOME=str(init.parent))).returncode == 0
    assert [call.argv for call in node.calls("probe")] == [("load", "a module", "$(x)"), ("a module",)]


def test_site_without_modules_fails_in_that_step(node: Any, job: Job, tmp_path: Path) -> None:
    (tmp_path / "bin" / "module").unlink()
    assert node.run(job(Modules="Python"), node.environment(MODULESHOME="/nowhere")).returncode == 127
    assert node.result["step"] == "Modules: Python"


@pytest.mark.parametrize(("mine", "expected"), [({}, "12"), ({"SRUN_CPUS_PER_TASK": "3"}, "3")])
def test_srun_is_told_the_cpus_of_a_task_unless_the_user_did(
    node: Any, make_spec: Callable[..., RunSpec], mine: dict[str, str], expected: str
) -> None:
    spec = make_spec(
        Resources={"CPUsPerNode": 48, "TasksPerNode": 4},
        Environment={"Variables": mine},
    )
    node.run(render(spec).job)
    assert node.calls("probe")[0].environment["SRUN_CPUS_PER_TASK"] == expected
