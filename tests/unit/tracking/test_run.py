"""The MLflow run of a run, in a real store."""

from pathlib import Path

import pytest
from mlflow import MlflowClient

from mantik_tasks.backends.base import Accounting, JobHandle, JobState, JobStatus, Reason
from mantik_tasks.config.models import BackendKind, ComputeBackendConfig
from mantik_tasks.errors import BackendError
from mantik_tasks.models import JobScript, Project, RunSpec
from mantik_tasks.tracking.connection import MlflowConnection, TrackedRun
from mantik_tasks.tracking.run import close_run, open_run, record_job

KEY = "0123456789ab-train-1"
SCRIPT = JobScript(job="#!/bin/bash\n")
SPEC = RunSpec(
    project=Project(source="examples/wine", directory="/x", name="wine", commit="c0ffee", dirty=True),
    entry_point="train",
    parameters={"alpha": "0.50", "note": "x" * 7000},
    command="python train.py",
    config=ComputeBackendConfig.model_validate({"Local": {}, "Environment": {"Python": {"Path": "/venv"}}}),
    config_source="compute-backend-config.yaml",
)
HANDLE = JobHandle(backend=BackendKind.LOCAL, site="me@here", path="/runs/x", key=f"{KEY}-a1", job_id="77")


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> MlflowConnection:
    folder = tmp_path_factory.mktemp("mlflow")
    return MlflowConnection(tracking_uri=f"sqlite:///{folder}/mlflow.db", experiment_name="wine's first")


@pytest.fixture
def client(connection: MlflowConnection) -> MlflowClient:
    return MlflowClient(connection.tracking_uri)


def opened(connection: MlflowConnection, key: str) -> TrackedRun:
    return open_run(connection, key, SPEC, SCRIPT, {"prefect.flow_run_id": "f"})


def test_a_run_is_opened_once_for_its_key(
    connection: MlflowConnection, client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    first = opened(connection, KEY)
    assert opened(connection, KEY) == first
    assert opened(connection, f"{KEY}0") != first
    run = client.get_run(first.run_id)
    assert run.info.status == "RUNNING"
    assert run.info.run_name == "wine train-1"
    assert run.data.tags["mantik.run_key"] == KEY
    assert run.data.tags["mlflow.source.git.commit"] == "c0ffee"
    assert run.data.tags["mantik.venv"] == "/venv"
    assert run.data.tags["prefect.flow_run_id"] == "f"
    assert {item.path for item in client.list_artifacts(first.run_id, "mantik")} == {
        "mantik/compute-backend-config.yaml",
        "mantik/job.sh",
    }


@pytest.mark.parametrize(
    ("state", "status"),
    [(JobState.SUCCEEDED, "FINISHED"), (JobState.FAILED, "FAILED"), (JobState.CANCELLED, "KILLED")],
)
def test_a_run_ends_with_the_truth(
    connection: MlflowConnection,
    client: MlflowClient,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: JobState,
    status: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    run = opened(connection, f"{KEY}-{state}")
    client.set_terminated(run.run_id, "FINISHED")  # as the program itself did when it ended
    (tmp_path / "mantik.log").write_text("hello")
    record_job(connection, run, HANDLE)
    ended = JobStatus(
        state=state, reason=Reason.EXIT_CODE, exit_code=3, accounting=Accounting(cpu_seconds=1.5)
    )
    close_run(connection, run, SPEC, ended, tmp_path)
    kept = client.get_run(run.run_id)
    assert kept.info.status == status
    assert kept.data.tags["mantik.exit_code"] == "3"
    assert kept.data.tags["mantik.job_id"] == "77"
    assert kept.data.tags["mantik.cpu_seconds"] == "1.5"
    assert "mantik/mantik.log" in {item.path for item in client.list_artifacts(run.run_id, "mantik")}


def test_parameters_are_kept_and_the_program_s_own_spelling_stays(
    connection: MlflowConnection, client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = opened(connection, f"{KEY}-parameters")
    client.log_param(run.run_id, "alpha", 0.5)
    close_run(connection, run, SPEC, JobStatus(state=JobState.SUCCEEDED), None)
    close_run(connection, run, SPEC, JobStatus(state=JobState.SUCCEEDED), None)
    assert client.get_run(run.run_id).data.params == {"alpha": "0.5", "note": "x" * 6000}


def test_an_open_run_that_had_ended_runs_again(
    connection: MlflowConnection, client: MlflowClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run = opened(connection, f"{KEY}-again")
    client.set_terminated(run.run_id, "FAILED")
    opened(connection, f"{KEY}-again")
    assert client.get_run(run.run_id).info.status == "RUNNING"


def test_a_deleted_experiment_is_told(connection: MlflowConnection, client: MlflowClient) -> None:
    client.delete_experiment(client.create_experiment("gone"))
    gone = connection.model_copy(update={"experiment_name": "gone"})
    with pytest.raises(BackendError, match="'gone' is deleted"):
        opened(gone, KEY)
