"""What supervisors and jobs wrote, read with care: a job can put anything into its run directory."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

from pydantic import ConfigDict

from mantik_tasks.backends.base import JobState, Reason
from mantik_tasks.backends.local import layout
from mantik_tasks.backends.verdict import EpochSeconds
from mantik_tasks.errors import BackendError
from mantik_tasks.frozen import FrozenModel

M = TypeVar("M", bound=FrozenModel)


class JobRecord(FrozenModel):
    """What a supervisor writes when a job is submitted.

    Attributes:
        job_id: The job's id.
        pid: Process id of the supervisor.
        start_ticks: When the supervisor started, in clock ticks since boot.
        boot_id: Boot of the host.
        host: The host.
        submitted_at: When it was submitted.
        limit: How many jobs it lets run at once.
    """

    model_config = ConfigDict(extra="ignore")

    job_id: str
    pid: int
    start_ticks: int
    boot_id: str
    host: str
    submitted_at: EpochSeconds
    limit: int


class JobEnd(FrozenModel):
    """What a supervisor writes when a job has ended.

    Attributes:
        state: Final state.
        reason: Why.
        exit_code: Exit code of the script that ended the job.
        message: What a person should read about it.
        started_at: When the job script was started, if it was.
        ended_at: When it ended.
        cpu_seconds: CPU time of all its processes.
        max_rss_mib: Largest resident memory of one process.
    """

    model_config = ConfigDict(extra="ignore")

    state: JobState
    reason: Reason | None
    exit_code: int | None
    message: str | None
    started_at: EpochSeconds | None
    ended_at: EpochSeconds
    cpu_seconds: float
    max_rss_mib: float


class _Start(FrozenModel):
    started_at: EpochSeconds


class _Cancel(FrozenModel):
    cancelled_at: EpochSeconds


def read_record(path: Path) -> JobRecord | None:
    """Return the record of a run directory's job; nothing means that none was submitted.

    Raises:
        BackendError: If there is one that can't be understood.
    """
    content = layout.read_file(path / layout.JOB)
    try:
        return None if content is None else JobRecord.model_validate_json(content)
    except ValueError as error:
        raise BackendError(f"{path / layout.JOB} can't be understood; was it changed?") from error


def read_end(path: Path) -> JobEnd | None:
    """Return how a job ended, once its supervisor has said so."""
    return _understood(JobEnd, path / layout.END)


def read_started_at(path: Path) -> float | None:
    """Return when a job script was started, in seconds since the epoch."""
    start = _understood(_Start, path / layout.STARTED)
    return None if start is None else start.started_at


def read_cancelled_at(path: Path) -> float | None:
    """Return when a person first asked to cancel, in seconds since the epoch."""
    cancel = _understood(_Cancel, path / layout.CANCELLED)
    return None if cancel is None else cancel.cancelled_at


def _understood(model: type[M], path: Path) -> M | None:
    content = layout.read_file(path)
    try:
        return None if content is None else model.model_validate_json(content)
    except ValueError:
        return None
