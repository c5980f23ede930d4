"""What is seen of a job on this host, and what it means."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mantik_tasks.backends.base import Accounting, JobHandle, JobState, JobStatus, Reason
from mantik_tasks.backends.local import layout
from mantik_tasks.backends.local.processes import Process, boot_id
from mantik_tasks.backends.local.records import (
    JobEnd,
    JobRecord,
    read_cancelled_at,
    read_end,
    read_record,
    read_started_at,
)
from mantik_tasks.backends.verdict import JobResult, from_epoch, parse_result, verdict
from mantik_tasks.errors import BackendError

SETTLE_SECONDS = 0.3

JobProcesses = Callable[[], Mapping[str, frozenset[Process]]]


@dataclass(frozen=True)
class Observation:
    """Everything that decides the status of a job that was submitted.

    Attributes:
        record: What the supervisor wrote when the job was submitted.
        result: The job's own result.
        end: What the supervisor wrote at the end.
        started_at: When the job script was started, in seconds since the epoch.
        cancelled_at: When a person asked to cancel it.
        this_host: Whether the job belongs to this host.
        this_boot: Whether this host has been up since it was submitted.
        supervised: Whether its supervisor lives.
        running: Whether any of its processes lives without a supervisor.
    """

    record: JobRecord
    result: JobResult | None = None
    end: JobEnd | None = None
    started_at: float | None = None
    cancelled_at: float | None = None
    this_host: bool = True
    this_boot: bool = True
    supervised: bool = False
    running: bool = False

    @property
    def alive(self) -> bool:
        """Whether anything of the job lives."""
        return self.supervised or self.running

    @property
    def done(self) -> bool:
        """Whether the job has said that it is done, though its supervisor may be tidying up."""
        return self.result is not None or self.end is not None


def status(path: Path, handle: JobHandle, job_processes: JobProcesses) -> JobStatus:
    """Return the status of a job.

    Args:
        path: Its run directory.
        handle: The job.
        job_processes: Gives the processes of all jobs, for a job whose supervisor is gone.
    """
    try:
        observation = observe(path, job_processes)
    except (BackendError, PermissionError) as error:
        # A job can do this to its own run directory; the other jobs have nothing to do with it.
        return JobStatus(state=JobState.UNKNOWN, native_state="unreadable", message=str(error))
    if observation is None or observation.record.job_id != handle.job_id:
        message = f"{path} holds nothing of this job; it was removed, or is not the place of this job."
        return JobStatus(state=JobState.FAILED, reason=Reason.LOST, native_state="absent", message=message)
    return judge(observation)


def observe(path: Path, job_processes: JobProcesses) -> Observation | None:
    """Look at a run directory and at the processes of its job, if one was submitted."""
    record = read_record(path)
    if record is None:
        return None
    this_boot = record.boot_id == _boot_id()
    # Processes first: what they write last is then read after their end.
    supervised = this_boot and Process(record.pid, record.start_ticks).alive
    running = False
    if this_boot and not supervised and read_end(path) is None:
        running = bool(job_processes().get(record.job_id))
    result = parse_result(layout.read_file(path / layout.RESULT))
    if supervised and result is not None and result.exit_code == 0:
        _settle(path)
    return Observation(
        record=record,
        result=result,
        end=read_end(path),
        started_at=read_started_at(path),
        cancelled_at=read_cancelled_at(path),
        this_host=this_boot or record.host == os.uname().nodename,
        this_boot=this_boot,
        supervised=supervised,
        running=running,
    )


def _settle(path: Path) -> None:
    """Give the supervisor of a job that is done a moment to tell what the job used."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while not (path / layout.END).exists() and time.monotonic() < deadline:
        time.sleep(layout.LOCK_POLL_SECONDS)


def judge(observation: Observation) -> JobStatus:
    """Return the status that an observation means."""
    site = _site_status(observation).model_copy(
        update={
            "submitted_at": from_epoch(observation.record.submitted_at),
            "started_at": from_epoch(observation.started_at),
            "nodes": () if observation.started_at is None else (observation.record.host,),
        }
    )
    return verdict(observation.result, site)


def _site_status(observation: Observation) -> JobStatus:
    if observation.end is not None:
        return _ended(observation.end)
    if observation.supervised:
        return _alive(observation)
    if observation.running:
        message = "Its supervisor is gone; the job goes on without a limit on its time."
        return JobStatus(state=JobState.RUNNING, native_state="unsupervised", message=message)
    return _gone(observation)


def _ended(end: JobEnd) -> JobStatus:
    return JobStatus(
        state=end.state,
        reason=end.reason,
        exit_code=end.exit_code,
        native_state="ended",
        message=end.message,
        ended_at=from_epoch(end.ended_at),
        accounting=Accounting(
            elapsed_seconds=None if end.started_at is None else end.ended_at - end.started_at,
            cpu_seconds=end.cpu_seconds,
            max_rss_mib=end.max_rss_mib,
        ),
    )


def _alive(observation: Observation) -> JobStatus:
    if observation.started_at is not None:
        return JobStatus(state=JobState.RUNNING, native_state="running")
    reason = f"waits for one of {observation.record.limit} slots, or for its login-node commands"
    return JobStatus(state=JobState.QUEUED, native_state="queued", pending_reason=reason)


def _gone(observation: Observation) -> JobStatus:
    host = observation.record.host
    if not observation.this_host:
        message = f"The job belongs to the host {host}; only from there can it be seen."
        return JobStatus(state=JobState.UNKNOWN, native_state="elsewhere", message=message)
    if _cancelled_before_its_end(observation):
        return JobStatus(state=JobState.CANCELLED, native_state="gone")
    if not observation.this_boot and observation.result is None:
        message = f"The host {host} was restarted while the job was queued or running."
        return JobStatus(
            state=JobState.FAILED, reason=Reason.NODE_FAILURE, native_state="gone", message=message
        )
    message = "Nothing of the job is left: neither a process nor a result. Something ended it from outside."
    return JobStatus(state=JobState.FAILED, reason=Reason.LOST, native_state="gone", message=message)


def _cancelled_before_its_end(observation: Observation) -> bool:
    if observation.cancelled_at is None:
        return False
    result = observation.result
    return result is None or result.ended_at is None or observation.cancelled_at <= result.ended_at


@cache
def _boot_id() -> str:
    return boot_id()
