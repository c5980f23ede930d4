import pytest
from hypothesis import given
from hypothesis import strategies as st

from mantik_tasks.backends.base import Accounting, JobState, JobStatus, Reason
from mantik_tasks.backends.verdict import JobResult, parse_result, verdict

RUNNING = JobStatus(state=JobState.RUNNING)
SUCCESS = JobResult(exit_code=0, step="main", started_at=10, ended_at=20, host="node1")
FAILURE = JobResult(exit_code=3, step="main", started_at=10, ended_at=20, host="node1")


def site(state: JobState, reason: Reason | None = None) -> JobStatus:
    return JobStatus(state=state, reason=reason, native_state="word", accounting=Accounting(cpu_seconds=1))


def test_without_a_result_the_site_has_the_word() -> None:
    assert verdict(None, RUNNING) is RUNNING


@pytest.mark.parametrize("state", JobState)
def test_a_success_stands_whatever_the_site_says(state: JobState) -> None:
    status = verdict(SUCCESS, site(state, Reason.TIMEOUT))
    assert (status.state, status.reason, status.exit_code) == (JobState.SUCCEEDED, None, 0)


@pytest.mark.parametrize(
    ("said", "reason", "state", "expected"),
    [
        (JobState.CANCELLED, None, JobState.CANCELLED, None),
        (JobState.FAILED, Reason.TIMEOUT, JobState.FAILED, Reason.TIMEOUT),
        (JobState.FAILED, Reason.OUT_OF_MEMORY, JobState.FAILED, Reason.OUT_OF_MEMORY),
        (JobState.FAILED, Reason.NODE_FAILURE, JobState.FAILED, Reason.NODE_FAILURE),
        (JobState.FAILED, Reason.PREEMPTED, JobState.FAILED, Reason.PREEMPTED),
        (JobState.FAILED, Reason.LOST, JobState.FAILED, Reason.EXIT_CODE),
        (JobState.FAILED, Reason.EXIT_CODE, JobState.FAILED, Reason.EXIT_CODE),
        (JobState.UNKNOWN, None, JobState.FAILED, Reason.EXIT_CODE),
        (JobState.SUCCEEDED, None, JobState.FAILED, Reason.EXIT_CODE),
        (JobState.RUNNING, None, JobState.RUNNING, None),
        (JobState.QUEUED, None, JobState.RUNNING, None),
    ],
)
def test_a_failure_is_explained_by_the_site_if_it_ended_the_job(
    said: JobState, reason: Reason | None, state: JobState, expected: Reason | None
) -> None:
    status = verdict(FAILURE, site(said, reason))
    assert (status.state, status.reason) == (state, expected)


def test_a_failure_names_its_step_and_keeps_the_site_s_accounting() -> None:
    status = verdict(FAILURE, site(JobState.FAILED))
    assert status.exit_code == 3
    assert status.message == "The step 'main' failed with exit code 3."
    assert status.accounting == Accounting(cpu_seconds=1)
    assert status.nodes == ("node1",)
    assert status.started_at is not None
    assert status.started_at.timestamp() == 10


@pytest.mark.parametrize(
    "content",
    [None, b"", b"{", b"[]", b"null", b'{"exit_code": "x"}', b'{"exit_code": 0, "ended_at": 1e300}', b"\xff"],
)
def test_what_is_no_result_counts_as_none(content: bytes | None) -> None:
    assert parse_result(content) is None


def test_a_result_may_say_more_than_we_know() -> None:
    assert parse_result(b'{"exit_code": 0, "new": 1}') == JobResult(exit_code=0)


@given(st.binary())
def test_no_bytes_break_the_reader(content: bytes) -> None:
    result = parse_result(content)
    assert result is None or verdict(result, RUNNING).state in (JobState.SUCCEEDED, JobState.RUNNING)
