"""Which attempt of a run to go on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from mantik_tasks.backends.base import Attempt, JobState
from mantik_tasks.errors import ConfigError, JobFailed
from mantik_tasks.project.parameters import as_text


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


def check_same_run(attempt: Attempt, entry_point: str, parameters: Mapping[str, JsonValue]) -> None:
    """Make sure that an attempt which was found is of the run that is asked for.

    Raises:
        ConfigError: If it is not: labels were given in another order than before.
    """
    spec = attempt.intent.spec
    given = {name: as_text(value) for name, value in parameters.items()}
    if spec.entry_point != entry_point or given.items() - spec.parameters.items():
        raise ConfigError(
            f"{attempt.run_directory.key} was found, but ran {spec.entry_point} with other parameters; "
            "runs that start in no fixed order need a label each"
        )
