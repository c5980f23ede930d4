"""Which attempt of a run to go on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mantik_tasks.backends.base import Attempt, JobState
from mantik_tasks.errors import JobFailed


@dataclass(frozen=True)
class AttemptPlan:
    """The attempt to go on with.

    Attributes:
        number: Its number.
        known: What the site knows of it, if its files are all there.
    """

    number: int
    known: Attempt | None


def plan_attempt(attempts: Sequence[Attempt], *, retry_asked: bool) -> AttemptPlan:
    """Choose the attempt to go on with.

    A job that is alive, unknown, or succeeded is gone on with; so is one that failed and whose log
    was not fetched yet, since nobody has been told. A new attempt is opened only when the last one
    ended without success and a retry was asked for. What was cancelled stays cancelled.

    Raises:
        JobFailed: If the run was cancelled.
    """
    if not attempts:
        return AttemptPlan(1, None)
    last = max(attempts, key=lambda attempt: attempt.number)
    if last.status is not None and last.status.state is JobState.CANCELLED and last.fetched:
        raise JobFailed(
            f"Run {last.run_directory.key} was cancelled and does not start again; start a new run.",
            last.status,
        )
    if not last.staged:
        return AttemptPlan(last.number, None)
    failed = last.status is not None and last.status.state is JobState.FAILED
    if failed and last.fetched and retry_asked:
        return AttemptPlan(last.number + 1, None)
    return AttemptPlan(last.number, last)
