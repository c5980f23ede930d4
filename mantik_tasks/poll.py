"""The task that waits for a job and shows its log."""

from __future__ import annotations

import logging
import time

from prefect import get_run_logger, task
from prefect.cache_policies import NO_CACHE

from mantik_tasks.backends.base import (
    LOG_CHUNK_BYTES,
    BackendSource,
    JobHandle,
    JobState,
    JobStatus,
    Reason,
)
from mantik_tasks.errors import BackendError
from mantik_tasks.loglines import LogLines
from mantik_tasks.sites import Site, site_of

_CHUNKS_AFTER_THE_END = 8

Logger = logging.Logger | logging.LoggerAdapter[logging.Logger]


@task(name="poll-job", task_run_name="poll-job {handle.key}", cache_policy=NO_CACHE)
async def poll_job(handle: JobHandle, source: BackendSource) -> JobStatus:
    """Wait until a job has ended; its log lines appear in the log of this task as they come.

    One query serves all jobs of the process that wait for the same site. While the site can't be
    reached the job is waited for on, however long it takes. Cancelling this task does not cancel
    the job.

    Args:
        handle: The job.
        source: What leads to the site.

    Returns:
        The job's final status, whether good or bad. After a success the config's commands for the
        login node have run; if they failed, so has the job.
    """
    logger = get_run_logger()
    site = await site_of(source)
    watcher = site.watcher()
    log = _LiveLog(logger)
    teller = _StatusTeller(logger, handle)
    began_at = time.monotonic()
    while True:
        observation = await watcher.observe(handle, log.offset, began_at)
        log.show(observation.log)
        teller.tell_trouble(observation.trouble)
        if observation.status is not None:
            teller.tell(observation.status)
            if observation.status.state.is_final:
                await _show_rest(site, handle, log)
                return await _finished(site, handle, observation.status)


class _LiveLog:
    """Shows a log as it grows."""

    def __init__(self, logger: Logger) -> None:
        self.offset = 0
        self._logger = logger
        self._lines = LogLines()

    def show(self, data: bytes) -> None:
        self.offset += len(data)
        for record in self._lines.feed(data):
            self._logger.info("%s", record)

    def end(self) -> None:
        for record in self._lines.end():
            self._logger.info("%s", record)


class _StatusTeller:
    """Tells what has changed since the last time."""

    def __init__(self, logger: Logger, handle: JobHandle) -> None:
        self._logger = logger
        self._handle = handle
        self._told: tuple[object, ...] = ()
        self._trouble: str | None = None

    def tell(self, status: JobStatus) -> None:
        news = (status.state, status.native_state, status.pending_reason)
        if news == self._told:
            return
        self._told = news
        details = [status.reason, status.pending_reason, status.message]
        text = ", ".join(str(detail) for detail in details if detail)
        self._logger.info("Job %s is %s%s", self._handle.job_id, status.state, f" ({text})" if text else "")

    def tell_trouble(self, trouble: str | None) -> None:
        if trouble is not None and self._trouble is None:
            self._logger.warning(
                "%s can't tell about its jobs; still waiting. %s", self._handle.site, trouble
            )
        elif trouble is None and self._trouble is not None:
            self._logger.info("%s answers again", self._handle.site)
        self._trouble = trouble


async def _show_rest(site: Site, handle: JobHandle, log: _LiveLog) -> None:
    """Show what the job wrote last; a flood of it is left to the fetched file."""
    for _ in range(_CHUNKS_AFTER_THE_END):
        data = (await site.call_until_answered(site.backend.read_logs, {handle: log.offset})).get(handle, b"")
        log.show(data)
        if len(data) < LOG_CHUNK_BYTES:
            log.end()
            return
    log.end()
    get_run_logger().warning("The log goes on; the rest is in the fetched mantik.log")


async def _finished(site: Site, handle: JobHandle, status: JobStatus) -> JobStatus:
    """Run what follows a success on the login node; a failure there is the job's failure."""
    if status.state is not JobState.SUCCEEDED:
        return status
    try:
        await site.call_until_answered(site.backend.finish, handle)
    except BackendError as error:
        if error.transient:
            raise
        get_run_logger().error("%s", error)
        failed = {"state": JobState.FAILED, "reason": Reason.LOGIN_COMMAND, "message": str(error)}
        return status.model_copy(update=failed)
    return status
