"""The task that writes the job script."""

from __future__ import annotations

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from mantik_tasks.models import JobScript, RunSpec
from mantik_tasks.script.render import render


@task(name="build-command", task_run_name="build-command {spec.entry_point}", cache_policy=NO_CACHE)
async def build_command(spec: RunSpec) -> JobScript:
    """Return the script of a job. The same spec gives the same text.

    Args:
        spec: What is to be run.

    Returns:
        The job script, and the scripts for the login node if there are any.
    """
    script = render(spec)
    get_run_logger().info("Command: %s", spec.command)
    return script
