"""The tasks that open and close the MLflow run of a run."""

from __future__ import annotations

import asyncio
from pathlib import Path

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.utilities.urls import url_for

from mantik_tasks.flow_runs import current_flow_run
from mantik_tasks.models import JobScript, RunSpec
from mantik_tasks.results import RunResult
from mantik_tasks.tracking import run as mlflow_runs
from mantik_tasks.tracking.connection import TrackedRun, TrackingSource


@task(
    name="open-mlflow-run",
    task_run_name="open-mlflow-run {run_key}",
    cache_policy=NO_CACHE,
    retries=3,
    retry_delay_seconds=5,
)
async def open_mlflow_run(
    run_key: str, spec: RunSpec, script: JobScript, tracking: TrackingSource
) -> TrackedRun:
    """Open the MLflow run that the job logs to; the same one for the same run key.

    Args:
        run_key: Key of the run.
        spec: What is to be run.
        script: Its script; config and script are kept with the MLflow run.
        tracking: What leads to the tracking server.

    Returns:
        The MLflow run.

    Raises:
        BackendError: If the tracking server can't do it.
    """
    tags = {
        "prefect.flow_run_id": str(current_flow_run().id),
        "prefect.flow_run_name": current_flow_run().name,
    }
    if url := url_for("flow-run", obj_id=current_flow_run().id):
        tags["prefect.flow_run_url"] = url
    mlflow_run = await asyncio.to_thread(
        mlflow_runs.open_run, tracking.connect(), run_key, spec, script, tags
    )
    get_run_logger().info("MLflow run: %s", mlflow_run.url or mlflow_run.run_id)
    return mlflow_run


@task(
    name="close-mlflow-run",
    task_run_name="close-mlflow-run {result.handle.key}",
    cache_policy=NO_CACHE,
    retries=3,
    retry_delay_seconds=5,
)
async def close_mlflow_run(
    mlflow_run: TrackedRun, spec: RunSpec, result: RunResult, tracking: TrackingSource
) -> None:
    """End an MLflow run with the status that the job really has; log and parameters are kept with it.

    Args:
        mlflow_run: The MLflow run.
        spec: What was run.
        result: What it came to.
        tracking: What leads to the tracking server.

    Raises:
        BackendError: If the tracking server can't do it.
    """
    connection = tracking.connect()
    await asyncio.to_thread(mlflow_runs.record_job, connection, mlflow_run, result.handle)
    folder = None if "://" in result.location else Path(result.location)
    await asyncio.to_thread(mlflow_runs.close_run, connection, mlflow_run, spec, result.status, folder)


@task(name="fail-mlflow-run", task_run_name="fail-mlflow-run {mlflow_run.run_id}", cache_policy=NO_CACHE)
async def fail_mlflow_run(mlflow_run: TrackedRun, tracking: TrackingSource) -> None:
    """End the MLflow run of a run that never came to have a job.

    Args:
        mlflow_run: The MLflow run.
        tracking: What leads to the tracking server.

    Raises:
        BackendError: If the tracking server can't do it.
    """
    await asyncio.to_thread(mlflow_runs.fail_run, tracking.connect(), mlflow_run)
