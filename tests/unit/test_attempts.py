"""Which attempt a run goes on with."""

from datetime import UTC, datetime

import pytest
from pydantic import JsonValue

from mantik_tasks.attempts import check_same_run, plan_attempt
from mantik_tasks.backends.base import Attempt, JobHandle, JobState, JobStatus, Reason
from mantik_tasks.config.models import BackendKind, ComputeBackendConfig
from mantik_tasks.errors import ConfigError, JobFailed
from mantik_tasks.models import Intent, JobScript, Project, RunSpec

INTENT = Intent(
    created_at=datetime(2026, 1, 1, tzinfo=UTC),
    spec=RunSpec(
        project=Project(source="p", directory="/p", name="p"),
        entry_point="main",
        command="true",
        config=ComputeBackendConfig.model_validate({"Local": {}}),
        config_source="c",
    ),
    script=JobScript(job="true"),
)


def attempt(
    number: int, state: JobState | None = None, *, staged: bool = True, fetched: bool = False
) -> Attempt:
    status = None if state is None else JobStatus(state=state, reason=Reason.EXIT_CODE)
    directory = JobHandle(backend=BackendKind.LOCAL, site="s", path="/r", key=f"k-a{number}", job_id="1")
    return Attempt(
        number=number, run_directory=directory, intent=INTENT, staged=staged, fetched=fetched, status=status
    )


def test_a_new_run_begins_with_the_first_attempt() -> None:
    plan = plan_attempt([], retry_asked=False)
    assert (plan.number, plan.known) == (1, None)


def test_files_that_have_not_all_arrived_are_staged_again() -> None:
    plan = plan_attempt([attempt(1, staged=False)], retry_asked=True)
    assert (plan.number, plan.known) == (1, None)


@pytest.mark.parametrize(
    "state", [None, JobState.QUEUED, JobState.RUNNING, JobState.UNKNOWN, JobState.SUCCEEDED]
)
@pytest.mark.parametrize("retry_asked", [True, False])
def test_a_job_that_lives_or_succeeded_is_gone_on_with(state: JobState | None, retry_asked: bool) -> None:
    last = attempt(2, state, fetched=True)
    plan = plan_attempt([attempt(1, JobState.FAILED), last], retry_asked=retry_asked)
    assert (plan.number, plan.known) == (2, last)


@pytest.mark.parametrize(
    ("retry_asked", "fetched", "number"), [(True, True, 2), (True, False, 1), (False, True, 1)]
)
def test_a_new_attempt_needs_a_failure_that_was_told_and_a_wish(
    retry_asked: bool, fetched: bool, number: int
) -> None:
    plan = plan_attempt([attempt(1, JobState.FAILED, fetched=fetched)], retry_asked=retry_asked)
    assert (plan.number, plan.known is None) == (number, number == 2)


def test_what_was_cancelled_stays_cancelled() -> None:
    with pytest.raises(JobFailed, match="was cancelled"):
        plan_attempt([attempt(1, JobState.CANCELLED, fetched=True)], retry_asked=True)


@pytest.mark.parametrize(
    ("entry_point", "parameters"), [("other", {}), ("main", {"a": 2}), ("main", {"b": 1})]
)
def test_what_was_found_under_a_label_must_be_what_is_asked_for(
    entry_point: str, parameters: dict[str, JsonValue]
) -> None:
    found = attempt(1)
    intent = INTENT.model_copy(
        update={"spec": INTENT.spec.model_copy(update={"parameters": {"a": "1", "c": "x"}})}
    )
    found = found.model_copy(update={"intent": intent})
    check_same_run(found, "main", {"a": 1})
    with pytest.raises(ConfigError, match="need a label each"):
        check_same_run(found, entry_point, parameters)
