"""`run_project()` in a flow, with real detached jobs."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect import State, flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    ArtifactFilter,
    ArtifactFilterFlowRunId,
    LogFilter,
    LogFilterFlowRunId,
    TaskRunFilter,
    TaskRunFilterFlowRunId,
)
from prefect.client.schemas.sorting import TaskRunSort

from mantik_tasks import ConfigError, JobFailed, JobState, LocalConnection, Reason, RunResult, run_project

# Prefect's SQLite may keep a writer waiting for a minute.
pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

Project = Callable[[str], Path]


@flow
async def one_run(project: str, **options: Any) -> RunResult:
    return await run_project(project, **options)


async def is_logged(state: State[Any], text: str) -> bool:
    """Whether a text comes up in the flow run's log, which arrives a little later than its state."""
    assert state.state_details.flow_run_id is not None
    wanted = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[state.state_details.flow_run_id]))
    async with get_client() as client:
        for _ in range(100):
            if any(text in record.message for record in await client.read_logs(wanted)):
                return True
            await asyncio.sleep(0.1)
    return False


def runs(site: LocalConnection) -> list[str]:
    folder = Path(site.base_directory, "mantik-runs")
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


async def test_a_run_goes_through_the_six_steps(project: Project, site: LocalConnection) -> None:
    values = {"first": "it's $HOME\n`x`", "second": "-v"}
    state = await one_run(
        str(project("echo")), parameters=values, source=site, fetch=["arguments.json"], return_state=True
    )
    result: RunResult = await state.aresult()
    assert result.status.state is JobState.SUCCEEDED
    assert result.handle.key.endswith("-main-1-a1")
    assert set(result.files) == {"arguments.json", "mantik.log"}
    assert json.loads(Path(result.location, "arguments.json").read_text()) == ["it's $HOME\n`x`", "-v"]

    flow_run_id = state.state_details.flow_run_id
    assert flow_run_id is not None
    async with get_client() as client:
        tasks = await client.read_task_runs(
            task_run_filter=TaskRunFilter(flow_run_id=TaskRunFilterFlowRunId(any_=[flow_run_id])),
            sort=TaskRunSort.EXPECTED_START_TIME_ASC,
        )
        artifacts = await client.read_artifacts(
            artifact_filter=ArtifactFilter(flow_run_id=ArtifactFilterFlowRunId(any_=[flow_run_id]))
        )
        flow_run = await client.read_flow_run(flow_run_id)
    assert [task.name.split()[0] for task in tasks] == [
        "validate-config",
        "build-command",
        "stage-files",
        "submit-job",
        "poll-job",
        "fetch-artifacts",
    ]
    assert any("SUCCEEDED" in str(artifact.data) for artifact in artifacts)
    assert any(name.startswith("mantik.run.") for name in flow_run.labels)
    assert await is_logged(state, "arguments [")


async def test_a_job_that_fails_fails_the_flow_and_its_log_comes_home(
    project: Project, site: LocalConnection
) -> None:
    state = await one_run(
        str(project("echo")), entry_point="exit", parameters={"code": 3}, source=site, return_state=True
    )
    with pytest.raises(JobFailed) as caught:
        await state.aresult()
    assert (caught.value.status.reason, caught.value.status.exit_code) == (Reason.EXIT_CODE, 3)
    log = Path(str(caught.value).partition("Its log is ")[2].partition(";")[0])
    assert "arguments" in log.read_text()


async def test_a_flow_that_retries_opens_a_new_attempt(project: Project, site: LocalConnection) -> None:
    retrying = one_run.with_options(retries=1)
    state = await retrying(
        str(project("echo")), entry_point="exit", parameters={"code": 3}, source=site, return_state=True
    )
    assert state.is_failed()
    assert [name.rpartition("-")[2] for name in runs(site)] == ["a1", "a2"]


async def test_a_flow_that_fails_after_its_run_finds_it_again(
    project: Project, site: LocalConnection
) -> None:
    calls = []

    @flow(retries=1)
    async def train_then_fail_once(folder: str) -> str:
        result = await run_project(folder, parameters={"first": "x"}, source=site)
        calls.append(result.handle)
        if len(calls) == 1:
            raise RuntimeError("after the run")
        return result.handle.key

    await train_then_fail_once(str(project("echo")))
    assert calls[0] == calls[1]
    assert len(runs(site)) == 1


async def test_several_runs_of_a_flow_have_keys_of_their_own(project: Project, site: LocalConnection) -> None:
    @flow
    async def subflow(folder: str) -> RunResult:
        return await run_project(folder, parameters={"first": "c"}, source=site)

    @flow
    async def several(folder: str) -> None:
        await run_project(folder, parameters={"first": "a"}, source=site)
        await run_project(folder, parameters={"first": "b"}, source=site, label="mine")
        await subflow(folder)

    await several(str(project("echo")))
    assert [name.partition("-")[2] for name in runs(site)] == ["main-1-a1", "main-2-a1", "mine-a1"]
    assert len({name.partition("-")[0] for name in runs(site)}) == 1


async def test_the_same_label_twice_is_an_error(project: Project, site: LocalConnection) -> None:
    @flow
    async def twice(folder: str) -> None:
        await run_project(folder, parameters={"first": "a"}, source=site, label="x")
        await run_project(folder, parameters={"first": "b"}, source=site, label="x")

    with pytest.raises(ConfigError, match="label 'x'"):
        await twice(str(project("echo")))


async def test_what_is_wrong_is_told_before_anything_is_contacted(
    project: Project, site: LocalConnection
) -> None:
    folder = project("echo")
    (folder / "compute-backend-config.yaml").write_text("Local: {}\nResource: {}\n")
    state = await one_run(str(folder), entry_point="mian", source=site, return_state=True)
    with pytest.raises(ConfigError) as caught:
        await state.aresult()
    assert any(
        "compute-backend-config.yaml:2" in problem and "Resources" in problem
        for problem in caught.value.problems
    )
    assert any("'mian'" in problem for problem in caught.value.problems)
    assert not Path(site.base_directory).exists()


async def test_a_config_that_runs_elsewhere_is_refused(project: Project, site: LocalConnection) -> None:
    folder = project("echo")
    (folder / "compute-backend-config.yaml").write_text("SSH: {Hostname: h}\nResources: {Queue: q}\n")
    with pytest.raises(ConfigError):
        await one_run(str(folder), parameters={"first": "x"}, source=site)
    with pytest.raises(ConfigError, match="not there yet"):
        await one_run(str(folder), parameters={"first": "x"})


async def test_a_path_parameter_is_staged(project: Project, site: LocalConnection, tmp_path: Path) -> None:
    (tmp_path / "more data.txt").write_text("content")
    state = await one_run(
        str(project("echo")),
        entry_point="read",
        parameters={"data": str(tmp_path / "more data.txt")},
        source=site,
        return_state=True,
    )
    await state.aresult()
    assert await is_logged(state, "read more data.txt content")


async def test_results_can_go_to_a_url(project: Project, site: LocalConnection) -> None:
    import fsspec

    result = await one_run(
        str(project("echo")),
        parameters={"first": "x"},
        source=site,
        fetch=["*.json"],
        results="memory://results/here",
    )
    assert json.loads(fsspec.filesystem("memory").cat("/results/here/arguments.json")) == ["x", "two"]
    assert result.location == "memory://results/here"


async def test_login_commands_run_before_and_after(project: Project, site: LocalConnection) -> None:
    config = {
        "Local": {},
        "Environment": {
            "PreRunCommandOnLoginNode": ["echo before > order"],
            "PreRunCommandOnComputeNode": "echo job >> order",
            "PostRunCommandOnLoginNode": ["echo after >> order"],
        },
    }
    result = await one_run(
        str(project("echo")), parameters={"first": "x"}, config=config, source=site, fetch=["order"]
    )
    assert Path(result.location, "order").read_text().split() == ["before", "job", "after"]


async def test_a_login_command_that_fails_afterwards_fails_the_run(
    project: Project, site: LocalConnection
) -> None:
    config = {"Local": {}, "Environment": {"PostRunCommandOnLoginNode": "exit 4"}}
    with pytest.raises(JobFailed) as caught:
        await one_run(str(project("echo")), parameters={"first": "x"}, config=config, source=site)
    assert caught.value.status.reason is Reason.LOGIN_COMMAND


async def test_outside_of_a_flow_it_says_what_to_do(project: Project) -> None:
    with pytest.raises(Exception, match="inside of a Prefect flow"):
        await run_project(str(project("echo")))
