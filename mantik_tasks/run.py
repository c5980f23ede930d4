"""One run, from what a person asked for to its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from prefect import get_run_logger
from prefect.artifacts import acreate_markdown_artifact
from pydantic import JsonValue

from mantik_tasks.attempts import AttemptPlan, check_same_run, plan_attempt
from mantik_tasks.backends.base import LOG_FILE, BackendSource, JobState
from mantik_tasks.backends.local.connection import LocalConnection
from mantik_tasks.command import build_command
from mantik_tasks.errors import BackendError, JobFailed
from mantik_tasks.fetch import check_location, fetch_artifacts
from mantik_tasks.flow_runs import claim_run_key, was_retry_asked
from mantik_tasks.keys import attempt_key
from mantik_tasks.models import RunSpec
from mantik_tasks.poll import poll_job
from mantik_tasks.results import RunResult
from mantik_tasks.sites import require_support, site_of
from mantik_tasks.stage import stage_files
from mantik_tasks.submit import submit_job
from mantik_tasks.summary import summary_markdown
from mantik_tasks.track import close_mlflow_run, fail_mlflow_run, open_mlflow_run
from mantik_tasks.tracking.connection import TrackingSource
from mantik_tasks.transfer import artifact_key
from mantik_tasks.validate import validate_config


async def run_project(
    project: str,
    *,
    entry_point: str = "main",
    parameters: Mapping[str, JsonValue] | None = None,
    config: str | Mapping[str, JsonValue] | None = None,
    source: BackendSource | None = None,
    tracking: TrackingSource | None = None,
    label: str | None = None,
    fetch: Sequence[str] = (),
    results: str | None = None,
) -> RunResult:
    """Run an entry point of an MLflow project and return what it came to.

    Call it inside of a flow. When the flow dies and is run again, it finds its job and goes on.

    Args:
        project: A folder on this machine, or a git URL: `https://…/repo.git@REF#sub/dir`.
        entry_point: Name of the entry point in the `MLproject` file.
        parameters: Values for the entry point's parameters.
        config: The Compute Backend Config: a file, relative to the project, or its keys. By default
            the project's `compute-backend-config.yaml`, `.yml` or `.json`.
        source: What leads to the site: a compute backend block or a connection. `Local` needs none.
        tracking: What leads to the MLflow server: a block or a connection. Without it the run is
            not tracked.
        label: Name of this run among those of the flow run. By default the entry point's name and
            an ordinal; give one where runs start in no fixed order.
        fetch: Files to fetch besides the log, in the words of gitignore.
        results: Folder, or any URL that fsspec can write to. By default `~/mantik-results/<attempt>`.

    Returns:
        The result of a run that succeeded.

    Raises:
        ConfigError: If the project can't be run as it is; every problem is in it.
        JobFailed: If the job ended without success; its status is in it.
        BackendError: If the site could not do what it was asked.
    """
    check_location(results)
    run_key = await claim_run_key(label, entry_point)
    site = source or LocalConnection()
    plan = await _plan(run_key, site)
    if plan.known is None:
        spec = await validate_config(
            project, entry_point=entry_point, parameters=parameters, config=config, source=source
        )
        await require_support(spec.config, site)
        script = await build_command(spec)
    else:
        check_same_run(plan.known, entry_point, parameters or {})
        spec, script = plan.known.intent.spec, plan.known.intent.script
    mlflow_run = await open_mlflow_run(run_key, spec, script, tracking) if tracking else None
    try:
        run_directory = (
            await stage_files(spec, script, site, key=attempt_key(run_key, plan.number))
            if plan.known is None
            else plan.known.run_directory
        )
        handle = await submit_job(run_directory, site, tracking=tracking, mlflow_run=mlflow_run)
    except BackendError as error:
        if mlflow_run is not None and tracking is not None and not error.transient:
            await fail_mlflow_run(mlflow_run, tracking)
        raise
    status = await poll_job(handle, site)
    fetched = await fetch_artifacts(handle, site, fetch, target=results)
    result = fetched.model_copy(update={"status": status, "mlflow_run": mlflow_run})
    await _write_summary(spec, result)
    if mlflow_run is not None and tracking is not None:
        await close_mlflow_run(mlflow_run, spec, result, tracking)
    if status.state is not JobState.SUCCEEDED:
        raise JobFailed(_failure(result), status)
    return result


async def _plan(run_key: str, source: BackendSource) -> AttemptPlan:
    """Look for the run on its site, and choose the attempt to go on with."""
    site = await site_of(source)
    attempts = await site.call_until_answered(site.backend.find, run_key)
    plan = plan_attempt(attempts, retry_asked=bool(attempts) and await was_retry_asked())
    logger = get_run_logger()
    if plan.known is not None:
        logger.info("Going on with %s on %s", plan.known.run_directory.key, site.backend.site)
    elif plan.number > 1:
        logger.info("Attempt %d of run %s", plan.number, run_key)
    return plan


async def _write_summary(spec: RunSpec, result: RunResult) -> None:
    await acreate_markdown_artifact(
        summary_markdown(spec, result),
        key=artifact_key(result.handle.key, "summary"),
        description=f"{spec.project.name}: {spec.entry_point} on {result.handle.site}",
    )


def _failure(result: RunResult) -> str:
    status, handle = result.status, result.handle
    details = [
        status.reason,
        None if status.exit_code is None else f"exit code {status.exit_code}",
        status.message,
    ]
    text = ", ".join(str(detail) for detail in details if detail)
    return (
        f"Job {handle.job_id} on {handle.site} is {status.state}" + (f" ({text})" if text else "") + ". "
        f"Its log is {result.location}/{LOG_FILE}; its run directory is {handle.path}."
    )
