"""What a run does when its site, or whoever watches it, is in trouble. On a scripted backend."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mlflow import MlflowClient
from prefect import flow
from prefect.client.orchestration import get_client
from pydantic import SecretStr

from mantik_tasks import (
    AuthenticationError,
    ConfigError,
    JobFailed,
    JobState,
    JobStatus,
    LocalConnection,
    MlflowConnection,
    Reason,
    RunResult,
    SubmitRejected,
    Unreachable,
    build_command,
    cancel_jobs,
    poll_job,
    run_project,
    stage_files,
    submit_job,
    validate_config,
)
from mantik_tasks.backends.scripted import ScriptedBackend

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

Project = Callable[[str], Path]


@flow
async def one_run(project: str, **options: Any) -> RunResult:
    return await run_project(project, entry_point="nothing", **options)


def count(backend: ScriptedBackend) -> Counter[str]:
    return Counter(verb for verb, _ in backend.calls)


async def test_a_site_that_does_not_answer_is_waited_for(project: Project) -> None:
    backend = ScriptedBackend([JobState.QUEUED, JobState.UNKNOWN, JobState.RUNNING, JobState.SUCCEEDED])
    backend.fail("statuses", Unreachable("no route"), Unreachable("no route"))
    backend.fail("read_logs", Unreachable("no route"))
    result = await one_run(str(project("echo")), source=backend)
    assert result.status.state is JobState.SUCCEEDED
    assert count(backend)["submit"] == 1
    assert count(backend)["cancel"] == 0


async def test_staging_and_fetching_are_tried_again(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = ScriptedBackend()
    backend.fail("stage", Unreachable("connection reset"))
    backend.fail("fetch", Unreachable("connection reset"))
    await one_run(str(project("echo")), source=backend)
    assert (count(backend)["stage"], count(backend)["fetch"]) == (2, 2)


async def test_submission_is_never_tried_again_blindly(project: Project) -> None:
    backend = ScriptedBackend()
    backend.fail("submit", Unreachable("the answer was lost"))
    with pytest.raises(Unreachable):
        await one_run(str(project("echo")), source=backend)
    assert count(backend)["submit"] == 1


async def test_credentials_that_are_refused_end_the_run_at_once(project: Project) -> None:
    backend = ScriptedBackend()
    backend.fail("stage", AuthenticationError("no"))
    with pytest.raises(AuthenticationError):
        await one_run(str(project("echo")), source=backend)
    assert count(backend)["stage"] == 1


async def test_whoever_stops_watching_cancels_nothing(project: Project) -> None:
    backend = ScriptedBackend([JobState.RUNNING])
    watching = asyncio.create_task(one_run(str(project("echo")), source=backend))
    while count(backend)["statuses"] < 1:  # noqa: ASYNC110 - a scripted backend has no event to wait for
        await asyncio.sleep(0.05)
    watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    assert count(backend)["cancel"] == 0


async def test_a_cancelled_job_is_said_to_be(project: Project) -> None:
    backend = ScriptedBackend([JobStatus(state=JobState.CANCELLED, native_state="CANCELLED by 7")])
    with pytest.raises(JobFailed, match="is CANCELLED"):
        await one_run(str(project("echo")), source=backend)


async def test_a_timeout_says_why(project: Project) -> None:
    backend = ScriptedBackend([JobStatus(state=JobState.FAILED, reason=Reason.TIMEOUT)])
    with pytest.raises(JobFailed, match="TIMEOUT"):
        await one_run(str(project("echo")), source=backend)
    assert count(backend)["fetch"] == 1


async def test_secrets_reach_the_submission_and_nothing_else(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    tracking = MlflowConnection(tracking_uri=f"sqlite:///{tmp_path}/m.db", token=SecretStr("hunter2"))
    backend = ScriptedBackend()
    result = await one_run(str(project("echo")), source=backend, tracking=tracking)
    environment = backend.requests[result.handle.key].environment
    assert environment["MLFLOW_TRACKING_TOKEN"] == SecretStr("hunter2")
    assert environment["MLFLOW_RUN_ID"].get_secret_value() == (result.mlflow_run and result.mlflow_run.run_id)
    attempt = backend.find(result.handle.key.rpartition("-")[0])[0]
    assert "hunter2" not in attempt.intent.model_dump_json() + result.model_dump_json() + caplog.text


async def test_a_run_without_a_job_is_failed_in_mlflow_too(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tracking = MlflowConnection(tracking_uri=f"sqlite:///{tmp_path}/m.db")
    backend = ScriptedBackend()
    backend.fail("submit", SubmitRejected("no such partition"))
    with pytest.raises(SubmitRejected):
        await one_run(str(project("echo")), source=backend, tracking=tracking)
    run = MlflowClient(tracking.tracking_uri).search_runs(["0"])[0]
    assert run.info.status == "FAILED"


async def test_a_watcher_that_is_shut_down_cancels_nothing(project: Project, site: LocalConnection) -> None:
    state = await one_run(str(project("echo")), source=site, return_state=True)
    async with get_client() as client:
        flow_run = await client.read_flow_run(state.state_details.flow_run_id)
    assert any(name.startswith("mantik.run.") for name in flow_run.labels)
    await cancel_jobs(one_run, flow_run, state)  # as a serve that stops calls it
    assert not list(Path(site.base_directory).rglob("cancelled"))


@flow
async def step_by_step(project: str, source: ScriptedBackend) -> JobStatus:
    spec = await validate_config(project, entry_point="nothing", config={"Local": {}}, source=source)
    directory = await stage_files(spec, await build_command(spec), source)
    return await poll_job(await submit_job(directory, source), source)


async def test_a_task_that_is_tried_again_is_the_same_run(project: Project) -> None:
    backend = ScriptedBackend()
    backend.fail("stage", Unreachable("connection reset"))
    await step_by_step(str(project("echo")), backend)
    assert {key.partition("-")[2] for verb, key in backend.calls if verb in ("stage", "submit")} == {
        "nothing-1-a1"
    }


async def test_login_commands_after_a_success_belong_to_the_steps(project: Project) -> None:
    backend = ScriptedBackend()
    backend.fail("finish", Unreachable("connection reset"))
    await step_by_step(str(project("echo")), backend)
    assert count(backend)["finish"] == 2


async def test_a_site_that_is_lost_before_and_after_the_job_is_waited_for(project: Project) -> None:
    backend = ScriptedBackend()
    backend.fail("find", Unreachable("no route"))
    backend.fail("finish", Unreachable("no route"))
    result = await one_run(str(project("echo")), source=backend)
    assert result.status.state is JobState.SUCCEEDED


async def test_a_subflow_s_run_is_known_to_its_parents(project: Project) -> None:
    @flow
    async def parent(folder: str) -> None:
        await one_run(folder, source=ScriptedBackend())

    state = await parent(str(project("echo")), return_state=True)
    async with get_client() as client:
        flow_run = await client.read_flow_run(state.state_details.flow_run_id)
    assert [name.rpartition("-")[0] for name in flow_run.labels if name.startswith("mantik.run.")]


async def test_offline_tracking_says_that_it_is_not_there_yet(
    project: Project, site: LocalConnection
) -> None:
    with pytest.raises(ConfigError, match="offline is not there yet"):
        await one_run(str(project("echo")), config={"Local": {}, "Tracking": "offline"}, source=site)


async def test_results_that_can_go_nowhere_are_refused_first(project: Project) -> None:
    backend = ScriptedBackend()
    with pytest.raises(ConfigError, match="fsspec knows no nonsense://"):
        await one_run(str(project("echo")), source=backend, results="nonsense://x")
    assert backend.calls == []
