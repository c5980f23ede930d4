"""The task that brings a project to its site."""

from __future__ import annotations

import asyncio

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.runtime import task_run

from mantik_tasks.backends.base import BackendSource, RunDirectory, TransferProgress
from mantik_tasks.flow_runs import claim_run_key
from mantik_tasks.keys import attempt_key, split_attempt_key
from mantik_tasks.models import JobScript, RunSpec
from mantik_tasks.project.bundle import build_bundle
from mantik_tasks.retries import RETRIES, RETRY_SECONDS, is_transient
from mantik_tasks.sites import require_support, site_of
from mantik_tasks.transfer import watched


def _task_run_name() -> str:
    parameters = task_run.parameters
    return f"stage-files {parameters['key'] or parameters['spec'].entry_point}"


@task(
    name="stage-files",
    task_run_name=_task_run_name,
    cache_policy=NO_CACHE,
    retries=RETRIES,
    retry_delay_seconds=RETRY_SECONDS,
    retry_condition_fn=is_transient,
)
async def stage_files(
    spec: RunSpec, script: JobScript, source: BackendSource, *, key: str | None = None
) -> RunDirectory:
    """Bring a project into its run directory on the site.

    Safe to repeat: an attempt whose files are all there is left as it is.

    Args:
        spec: What is to be run.
        script: Its script.
        source: What leads to the site.
        key: The attempt's key. By default the first attempt of a run that is named after the entry
            point and belongs to the current flow run.

    Returns:
        The run directory.

    Raises:
        TransferError: If files did not arrive whole.
    """
    logger = get_run_logger()
    await require_support(spec.config, source)
    key = key or attempt_key(await claim_run_key(None, spec.entry_point), 1)
    site = await site_of(source)
    for attempt in await site.call(site.backend.find, split_attempt_key(key)[0]):
        if attempt.run_directory.key == key and attempt.staged:
            logger.info("The files are at %s already", attempt.run_directory.path)
            return attempt.run_directory
    bundle = await asyncio.to_thread(build_bundle, spec, script)
    progress = TransferProgress(
        total_files=len(bundle.files), total_bytes=sum(file.size_bytes or 0 for file in bundle.files)
    )
    moving = site.transfer(site.backend.stage, bundle, key, progress)
    run_directory = await watched(progress, moving, key=key, what="staging")
    logger.info(
        "Staged %d files, %.1f MiB, in %s:%s",
        progress.total_files,
        progress.total_bytes / 2**20,
        run_directory.site,
        run_directory.path,
    )
    return run_directory
