"""The task that submits a job, once."""

from __future__ import annotations

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from mantik_tasks.backends.base import BackendSource, JobHandle, JobRequest, RunDirectory
from mantik_tasks.flow_runs import current_chain
from mantik_tasks.references import reference, write_reference
from mantik_tasks.sites import site_of
from mantik_tasks.tracking.connection import TrackedRun, TrackingSource


# Never retried blindly, though it may be called again: the backend looks before it submits.
@task(name="submit-job", task_run_name="submit-job {run_directory.key}", cache_policy=NO_CACHE)
async def submit_job(
    run_directory: RunDirectory,
    source: BackendSource,
    *,
    tracking: TrackingSource | None = None,
    mlflow_run: TrackedRun | None = None,
) -> JobHandle:
    """Submit the job of a run directory; again with the same one, it is the same job.

    Args:
        run_directory: The run directory, staged.
        source: What leads to the site.
        tracking: The tracking server that the job is to log to.
        mlflow_run: The MLflow run that the job is to log to.

    Returns:
        The job's handle.

    Raises:
        SubmitRejected: If the site refuses the job, in the site's words.
    """
    for flow_run_id in await current_chain():
        await write_reference(flow_run_id, reference(run_directory, source))
    environment = {
        **({} if tracking is None else tracking.connect().environment()),
        **({} if mlflow_run is None else mlflow_run.environment()),
    }
    site = await site_of(source)
    handle = await site.call(site.backend.submit, JobRequest(environment=environment), run_directory)
    get_run_logger().info("Job %s on %s, in %s", handle.job_id, handle.site, handle.path)
    return handle
