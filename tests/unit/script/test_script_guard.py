"""One job for a run directory: the guard, and how a job finds where it is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mantik_tasks.models import RunSpec
from mantik_tasks.script.render import render

Job = Callable[..., str]
SLURM = {"SSH": {"Hostname": "login.example.org"}}
UNICORE = {"UnicoreApiUrl": "https://unicore.example.org/SITE/rest/core"}


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_guard_holds_the_id_of_its_job(node: Any, job: Job) -> None:
    node.run(job())
    assert (node.private / "guard" / "job-id").read_text() == "job-1\n"
    assert [path.name for path in node.private.glob("guard*")] == ["guard"]


def test_another_job_ends_at_once_and_touches_nothing(node: Any, job: Job) -> None:
    text = job("echo once; probe")
    node.run(text)
    (node.private / "environment").write_bytes(b"TOKEN=secret\0")
    before = contents(node.run_directory)
    second = node.run(text, node.environment(MANTIK_JOB_ID="job-2"))
    assert second.returncode == 97
    assert second.stderr == "mantik: this run belongs to job job-1; job job-2 ends without doing anything\n"
    assert contents(node.run_directory) == before
    assert len(node.calls("probe")) == 1


def test_same_job_goes_on_and_appends_to_the_log(node: Any, job: Job) -> None:
    text = job("echo again; probe; [[ -e .mantik/result.json ]] && echo stale")
    node.run(text)
    node.run(text)
    assert node.log.startswith("again\n")
    assert node.log.count("again\n") == 2
    assert "stale" not in node.log
    assert len(node.calls("probe")) == 2


def test_what_a_job_did_before_a_requeue_does_not_count(node: Any, job: Job) -> None:
    text = job("touch ran", PreRunCommandOnComputeNode="if [[ -e ran ]]; then exit 0; fi")
    assert [node.run(text).returncode for _ in range(2)] == [0, 1]


def test_of_many_jobs_at_once_exactly_one_runs(node: Any, job: Job) -> None:
    text = job("probe; sleep 0.2")
    (node.root / "spool").write_text(text)
    (node.root / "spool").chmod(0o755)
    started = [node.start(text, node.environment(MANTIK_JOB_ID=f"job-{number}")) for number in range(20)]
    codes = []
    for process in started:
        process.communicate(timeout=30)
        codes.append(process.returncode)
    assert sorted(codes) == [0, *[97] * 19]
    winner = f"job-{codes.index(0)}"
    assert [call.environment["MANTIK_JOB_ID"] for call in node.calls("probe")] == [winner]
    assert (node.private / "guard" / "job-id").read_text() == f"{winner}\n"
    assert node.result["job_id"] == winner


def test_guard_of_an_unreadable_owner_belongs_to_somebody_else(node: Any, job: Job) -> None:
    (node.private / "guard").mkdir()
    (node.private / "guard" / "other").touch()
    assert node.run(job()).returncode == 97
    assert node.calls() == []


def test_run_directory_that_takes_no_guard_is_told_apart(node: Any, job: Job) -> None:
    node.install("mktemp", "#!/bin/sh\nexit 1\n")
    done = node.run(job())
    assert done.returncode == 96
    assert "can not be written to" in done.stderr
    assert not node.log_file.exists()


@pytest.mark.parametrize("missing", ["MANTIK_JOB_ID", "MANTIK_WORKING_DIRECTORY"])
def test_job_without_an_id_or_a_directory_says_so(node: Any, job: Job, missing: str) -> None:
    environment = node.environment()
    del environment[missing]
    done = node.run(job(), environment, directory=node.home)
    assert done.returncode == 96
    assert "no job id" in done.stderr
    assert "run directory" in done.stderr
    assert node.calls() == []


@pytest.mark.parametrize(
    ("backend", "variables", "job_id"),
    [
        ({"Local": {}}, {"MANTIK_JOB_ID": "7", "MANTIK_WORKING_DIRECTORY": "{run}"}, "7"),
        ({"Local": {}}, {"MANTIK_JOB_ID": "7", "MANTIK_WORKING_DIRECTORY": "."}, "7"),
        # The profile of the node has left the run directory when the script begins.
        (SLURM, {"SLURM_JOB_ID": "8", "SLURM_SUBMIT_DIR": "/", "MANTIK_WORKING_DIRECTORY": "/"}, "8"),
        (UNICORE, {"SLURM_JOB_ID": "9", "UC_WORKING_DIRECTORY": "{run}"}, "9"),
        (UNICORE, {"PBS_JOBID": "10.server", "UC_WORKING_DIRECTORY": "{run}"}, "10.server"),
    ],
)
def test_job_knows_its_id_and_directory(
    node: Any, job: Job, backend: dict[str, Any], variables: dict[str, str], job_id: str
) -> None:
    environment = {name: value for name, value in node.environment().items() if not name.startswith("MANTIK")}
    environment |= {name: value.format(run=node.run_directory) for name, value in variables.items()}
    text = job(backend=backend, PreRunCommandOnComputeNode="probe")
    assert node.run(text, environment).returncode == 0
    assert node.result["job_id"] == job_id
    run_directory = str(node.run_directory)
    calls = node.calls("probe")
    assert len(calls) == 2
    for call in calls:
        assert call.directory == run_directory
        assert call.environment["MANTIK_JOB_ID"] == job_id
        assert call.environment["MANTIK_WORKING_DIRECTORY"] == run_directory
        assert call.environment["UC_WORKING_DIRECTORY"] == run_directory


def test_each_start_on_unicore_without_a_scheduler_is_a_job_of_its_own(
    node: Any, make_spec: Callable[..., RunSpec]
) -> None:
    text = render(make_spec(backend=UNICORE)).job
    environment = node.environment(UC_WORKING_DIRECTORY=str(node.run_directory))
    assert [node.run(text, environment).returncode for _ in range(2)] == [0, 97]
