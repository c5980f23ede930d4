"""The deployment, run by a separate worker process, on real detached jobs."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.entities import Run
from prefect import State
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.actions import DeploymentScheduleCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterDeploymentId
from prefect.client.schemas.objects import FlowRun
from prefect.client.schemas.schedules import IntervalSchedule
from prefect.states import Scheduled
from sklearn.datasets import load_wine

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

pytestmark = [pytest.mark.server, pytest.mark.timeout(300)]


def mlflow_run(stack: Stack, flow_run_id: UUID) -> Run:
    client = MlflowClient(stack.servers.mlflow_url)
    experiment = client.get_experiment_by_name("e2e")
    assert experiment is not None
    found = client.search_runs([experiment.experiment_id], f"tags.`prefect.flow_run_id` = '{flow_run_id}'")
    assert len(found) == 1, "a run has one MLflow run"
    return found[0]


def assert_completed(flow_run: FlowRun) -> None:
    assert flow_run.state is not None
    assert flow_run.state.is_completed(), flow_run.state.message


@pytest.fixture(scope="module")
async def trained(stack: Stack) -> UUID:
    """A flow run that has trained the wine example."""
    flow_run_id = stack.run_deployment({"entry_point": "train", "parameters": {"alpha": 0.01}})
    assert_completed(await stack.ended(flow_run_id))
    return flow_run_id


async def test_the_trained_model_is_in_mlflow_and_predicts_a_known_label(stack: Stack, trained: UUID) -> None:
    run = mlflow_run(stack, trained)
    assert run.info.status == "FINISHED"
    assert run.data.metrics["accuracy"] > 0.9
    assert run.data.params["alpha"] == "0.01"
    assert run.data.tags["mantik.state"] == "SUCCEEDED"
    mlflow.set_tracking_uri(stack.servers.mlflow_url)
    model = mlflow.sklearn.load_model(f"runs:/{run.info.run_id}/model")
    wine = load_wine(as_frame=True)
    assert model.predict(wine.data.iloc[[0, 75, 170]]).tolist() == wine.target.iloc[[0, 75, 170]].tolist()


async def test_config_script_log_and_plot_are_in_mlflow(stack: Stack, trained: UUID) -> None:
    client = MlflowClient(stack.servers.mlflow_url)
    run_id = mlflow_run(stack, trained).info.run_id
    names = {item.path for folder in ("", "mantik") for item in client.list_artifacts(run_id, folder)}
    assert {
        "confusion-matrix.png",
        "mantik/compute-backend-config.yaml",
        "mantik/job.sh",
        "mantik/mantik.log",
    } <= names


async def test_a_trained_model_classifies_staged_data(stack: Stack, trained: UUID, tmp_path: Path) -> None:
    samples = tmp_path / "my samples.csv"
    load_wine(as_frame=True).data.iloc[[5, 100]].to_csv(samples, index=False)
    model = f"runs:/{mlflow_run(stack, trained).info.run_id}/model"
    flow_run_id = stack.run_deployment(
        {
            "entry_point": "predict",
            "parameters": {"model_uri": model, "data": str(samples)},
            "fetch": ["predictions.csv"],
            "results": str(tmp_path / "results"),
        }
    )
    assert_completed(await stack.ended(flow_run_id))
    predicted = (tmp_path / "results" / "predictions.csv").read_text().splitlines()[1:]
    assert [line.rpartition(",")[2] for line in predicted] == ["class_0", "class_1"]


async def test_a_job_that_exits_3_is_failed_everywhere(stack: Stack, project: Callable[[str], Path]) -> None:
    flow_run_id = stack.run_deployment(
        {"project": str(project("echo")), "entry_point": "exit", "parameters": {"code": 3}, "fetch": []}
    )
    flow_run = await stack.ended(flow_run_id)
    assert flow_run.state is not None
    assert flow_run.state.is_failed()
    assert "exit code 3" in (flow_run.state.message or "")
    run = mlflow_run(stack, flow_run_id)
    assert (run.info.status, run.data.tags["mantik.exit_code"]) == ("FAILED", "3")


async def test_a_schedule_runs_by_itself(stack: Stack, project: Callable[[str], Path]) -> None:
    parameters: dict[str, Any] = {
        "project": str(project("echo")),
        "entry_point": "main",
        "parameters": {"first": "by schedule"},
        "results": str(stack.servers.folder / "scheduled"),
        "fetch": ["arguments.json"],
    }
    schedule = DeploymentScheduleCreate(
        schedule=IntervalSchedule(
            interval=timedelta(hours=1), anchor_date=datetime.now(UTC) + timedelta(seconds=20), timezone="UTC"
        ),
        active=True,
        parameters=parameters,
        slug="soon",
    )

    async def switch_on(client: PrefectClient) -> UUID:
        deployment = await client.read_deployment_by_name("run-project/default")
        await client.create_deployment_schedules(deployment.id, [schedule])
        return deployment.id

    deployment_id = await stack.ask(switch_on)

    async def first_scheduled() -> FlowRun | None:
        wanted = FlowRunFilter(deployment_id=FlowRunFilterDeploymentId(any_=[deployment_id]))
        flow_runs = await stack.ask(lambda client: client.read_flow_runs(flow_run_filter=wanted))
        ended = [run for run in flow_runs if run.auto_scheduled and run.state and run.state.is_final()]
        return ended[0] if ended else None

    flow_run = await stack.eventually(first_scheduled)
    assert flow_run.auto_scheduled
    assert_completed(flow_run)
    assert "by schedule" in (stack.servers.folder / "scheduled" / "arguments.json").read_text()


async def test_a_flow_run_that_is_killed_and_retried_finds_its_job(
    stack: Stack, project: Callable[[str], Path], tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    folder = project("echo")
    flow_run_id = stack.run_deployment(
        {"project": str(folder), "entry_point": "wait", "parameters": {"file": str(gate)}, "fetch": []}
    )
    executions = tmp_path / "executions"

    async def job_runs() -> bool:
        return executions.exists()

    await stack.eventually(job_runs)
    flow_run = await stack.flow_run(flow_run_id)
    assert flow_run.infrastructure_pid is not None
    os.kill(int(flow_run.infrastructure_pid.rpartition(":")[2]), signal.SIGKILL)

    crashed = await stack.ended(flow_run_id)
    assert crashed.state is not None
    assert crashed.state.is_crashed()
    folder.rename(folder.with_name("gone"))  # recovery needs the project no more

    async def completed_when_retried() -> FlowRun | None:
        """Retry as often as the flow run is crashed: a worker may report a crash once more, later."""
        flow_run = await stack.flow_run(flow_run_id)
        assert flow_run.state is not None
        if flow_run.state.is_crashed():
            awaiting: State[None] = Scheduled(name="AwaitingRetry")
            await stack.ask(lambda client: client.set_flow_run_state(flow_run_id, awaiting))
            gate.touch()
        return flow_run if flow_run.state.is_completed() else None

    assert (await stack.eventually(completed_when_retried)).run_count >= 2
    assert executions.read_text() == "x"
    assert mlflow_run(stack, flow_run_id).info.status == "FINISHED"


async def test_a_person_s_cancel_ends_the_job(
    stack: Stack, project: Callable[[str], Path], tmp_path: Path
) -> None:
    flow_run_id = stack.run_deployment(
        {
            "project": str(project("echo")),
            "entry_point": "wait",
            "parameters": {"file": str(tmp_path / "gate")},
            "fetch": [],
        }
    )

    async def job_runs() -> bool:
        return (tmp_path / "executions").exists()

    await stack.eventually(job_runs)
    stack.servers.run(["prefect", "flow-run", "cancel", str(flow_run_id)])

    run_key = f"{flow_run_id.hex[-12:]}-wait-1"

    async def job_ended() -> bool:
        return (stack.site / "mantik-runs" / f"{run_key}-a1" / ".mantik" / "end.json").exists()

    await stack.eventually(job_ended)
    flow_run = await stack.ended(flow_run_id)
    assert flow_run.state is not None
    assert flow_run.state.is_cancelled()
