"""What a job's own result file and its site say together.

The result file comes first: it is written by the job itself, last of all. It knows nothing of why
the job was ended from outside, and there the site has the word.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import ConfigDict, Field

from mantik_tasks.backends.base import JobState, JobStatus, Reason
from mantik_tasks.frozen import FrozenModel

_ENDED_FROM_OUTSIDE = frozenset(
    {Reason.TIMEOUT, Reason.OUT_OF_MEMORY, Reason.NODE_FAILURE, Reason.PREEMPTED, Reason.LOGIN_COMMAND}
)


# Up to the end of the year 9999, the last that `datetime` knows.
EpochSeconds = Annotated[float, Field(ge=0, le=253402300799)]


class JobResult(FrozenModel):
    """The result file.

    Attributes:
        exit_code: Exit code of the step that failed, or 0.
        step: The last step.
        started_at: When the script began, in seconds since the epoch.
        ended_at: When it was done.
        host: The first node.
        job_id: The site's own job id.
    """

    model_config = ConfigDict(extra="ignore")

    exit_code: int
    step: str = ""
    started_at: EpochSeconds | None = None
    ended_at: EpochSeconds | None = None
    host: str | None = None
    job_id: str | None = None


def parse_result(content: bytes | None) -> JobResult | None:
    """Return a result file's content. What is no result counts as none: a job can write anything there."""
    try:
        return None if content is None else JobResult.model_validate_json(content)
    except ValueError:
        return None


def verdict(result: JobResult | None, site: JobStatus) -> JobStatus:
    """Return a job's status.

    Args:
        result: The job's own result, if there is one.
        site: What the site says: its accounting, or else its queue.
    """
    if result is None:
        return site
    if result.exit_code == 0:
        return _with_result(site, result, JobState.SUCCEEDED, None, None)
    if site.state in (JobState.QUEUED, JobState.RUNNING):
        # It is being ended; whether by itself or by somebody, the site tells when it is done.
        return site.model_copy(update={"state": JobState.RUNNING, "pending_reason": None})
    if site.state is JobState.CANCELLED or site.reason in _ENDED_FROM_OUTSIDE:
        return _with_result(site, result, site.state, site.reason, site.message)
    message = f"The step {result.step!r} failed with exit code {result.exit_code}." if result.step else None
    return _with_result(site, result, JobState.FAILED, Reason.EXIT_CODE, message)


def _with_result(
    site: JobStatus, result: JobResult, state: JobState, reason: Reason | None, message: str | None
) -> JobStatus:
    return site.model_copy(
        update={
            "state": state,
            "reason": reason,
            "message": message,
            "pending_reason": None,
            "exit_code": result.exit_code,
            "started_at": site.started_at or from_epoch(result.started_at),
            "ended_at": site.ended_at or from_epoch(result.ended_at),
            "nodes": site.nodes or ((result.host,) if result.host else ()),
        }
    )


def from_epoch(seconds: float | None) -> datetime | None:
    """Return a time in UTC from seconds since the epoch."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
