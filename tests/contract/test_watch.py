"""What a site tells of its jobs, and how they are cancelled."""

from __future__ import annotations

import io
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import pytest

from mantik_tasks.backends.base import (
    LOG_CHUNK_BYTES,
    BundleFile,
    JobHandle,
    JobState,
    Reason,
    TransferProgress,
)
from mantik_tasks.errors import JobNotFound, SubmitRejected
from mantik_tasks.keys import split_attempt_key

if TYPE_CHECKING:
    from tests.contract.conftest import Client

FOREVER = "touch began; while :; do sleep 0.02; done"
# Does whatever a process can do to outlive its job.
STUBBORN = (
    "trap '' TERM HUP INT; "
    "setsid bash -c 'trap \"\" TERM HUP INT; while :; do date +%s%N >beat; sleep 0.05; done' "
    "</dev/null >/dev/null 2>&1 & while :; do sleep 0.05; done"
)


def nothing_beats(client: Client, handle: JobHandle) -> bool:
    before = client.read(handle, "beat")
    time.sleep(0.3)
    return client.read(handle, "beat") == before


def test_success(client: Client) -> None:
    handle = client.start("echo hello")
    status = client.wait(handle, JobState.SUCCEEDED)
    assert (status.exit_code, status.reason) == (0, None)
    assert status.started_at is not None
    assert status.ended_at is not None
    assert status.ended_at >= status.started_at
    assert status.nodes
    (attempt,) = client.backend.find(split_attempt_key(handle.key)[0])
    assert attempt.status is not None
    assert attempt.status.state is JobState.SUCCEEDED


@pytest.mark.parametrize("exit_code", [1, 3, 100])
def test_failure_keeps_the_exit_code(client: Client, exit_code: int) -> None:
    status = client.wait(client.start(f"(exit {exit_code})"), JobState.FAILED)
    assert (status.exit_code, status.reason) == (exit_code, Reason.EXIT_CODE)
    assert "main" in (status.message or "")


def test_a_final_state_stays(client: Client) -> None:
    handle = client.start("false")
    status = client.wait(handle, JobState.FAILED)
    client.backend.cancel([handle])
    assert client.status(handle) == status


def test_a_job_longer_than_its_runtime_is_ended(client: Client) -> None:
    status = client.wait(client.start(FOREVER, Resources={"Runtime": "1s"}), JobState.FAILED)
    assert status.reason is Reason.TIMEOUT


def test_many_jobs_are_asked_for_at_once(client: Client) -> None:
    ending = {client.start(f"(exit {code})"): code for code in (0, 1, 2)}
    going_on = client.start(FOREVER)
    client.wait(going_on, JobState.RUNNING)
    for handle in ending:
        client.wait(handle)
    statuses = client.backend.statuses([*ending, going_on])
    assert {handle: statuses[handle].exit_code for handle in ending} == ending
    assert statuses[going_on].state is JobState.RUNNING
    assert client.backend.statuses([]) == {}


def test_a_job_that_the_site_knows_nothing_of_is_lost_and_others_are_not(client: Client) -> None:
    gone, there = client.start("true"), client.start("true")
    client.wait(gone, JobState.SUCCEEDED)
    client.backend.remove(gone)
    client.wait(there, JobState.SUCCEEDED)
    statuses = client.backend.statuses([gone, there])
    assert (statuses[gone].state, statuses[gone].reason) == (JobState.FAILED, Reason.LOST)
    assert statuses[there].state is JobState.SUCCEEDED


def test_the_log_is_read_while_it_grows(client: Client) -> None:
    handle = client.start("echo one; until [ -e go ]; do sleep 0.02; done; echo two >&2")
    client.wait_for_file(handle, "mantik.log")
    assert client.backend.read_logs({handle: 0}) == {handle: b"one\n"}
    assert client.backend.read_logs({handle: 4}) == {handle: b""}
    client.write(handle, "go", b"")
    client.wait(handle, JobState.SUCCEEDED)
    assert client.backend.read_logs({handle: 4}) == {handle: b"two\n"}
    assert client.backend.read_logs({handle: 4_000_000}) == {handle: b""}


def test_a_long_log_comes_in_chunks(client: Client) -> None:
    handle, other = client.start("seq 100000"), client.start("true")
    for job in (handle, other):
        client.wait(job, JobState.SUCCEEDED)
    log = b""
    while chunk := client.backend.read_logs({handle: len(log), other: 0})[handle]:
        assert len(chunk) <= LOG_CHUNK_BYTES
        log += chunk
    assert log == b"".join(b"%d\n" % number for number in range(1, 100_001))


def test_a_job_that_said_nothing_yet_has_an_empty_log(client: Client) -> None:
    handle = client.start(FOREVER)
    assert client.backend.read_logs({handle: 0}) == {handle: b""}


def test_a_running_job_is_cancelled(client: Client) -> None:
    handle = client.start(FOREVER)
    client.wait(handle, JobState.RUNNING)
    client.backend.cancel([handle])
    assert client.wait(handle, JobState.CANCELLED).state is JobState.CANCELLED
    (attempt,) = client.backend.find(split_attempt_key(handle.key)[0])
    assert attempt.cancelled
    assert attempt.status is not None
    assert attempt.status.state is JobState.CANCELLED


def test_a_cancelled_job_leaves_no_process_however_stubborn(client: Client) -> None:
    handle = client.start(STUBBORN)
    client.wait_for_file(handle, "beat")
    client.backend.cancel([handle])
    client.wait(handle, JobState.CANCELLED)
    assert nothing_beats(client, handle)


def test_a_queued_job_is_cancelled_and_never_runs(client: Client) -> None:
    running = [client.start(FOREVER) for _ in range(client.site.limit)]
    for handle in running:
        client.wait(handle, JobState.RUNNING)
    queued = client.start("touch ran")
    status = client.wait(queued, JobState.QUEUED)
    assert status.pending_reason
    client.backend.cancel([queued])
    client.wait(queued, JobState.CANCELLED)
    assert client.read(queued, "ran") is None
    assert all(status.state is JobState.RUNNING for status in client.backend.statuses(running).values())


def test_an_attempt_cancelled_before_its_submission_never_runs(client: Client) -> None:
    run_directory = client.stage("touch ran")
    client.backend.cancel([run_directory])
    client.backend.cancel([run_directory])
    with pytest.raises(SubmitRejected, match="cancelled"):
        client.submit(run_directory)
    (attempt,) = client.backend.find(split_attempt_key(run_directory.key)[0])
    assert attempt.cancelled
    assert not isinstance(attempt.run_directory, JobHandle)


def test_an_attempt_is_cancelled_while_its_files_still_move(client: Client) -> None:
    moving, cancelled = threading.Event(), threading.Event()

    def slow() -> BinaryIO:
        moving.set()
        cancelled.wait(30)
        return io.BytesIO(b"slow")

    bundle = replace(client.bundle("touch ran"), files=(BundleFile("slow", slow),))
    with ThreadPoolExecutor(1) as pool:
        staging = pool.submit(client.backend.stage, bundle, client.key("slow"), TransferProgress())
        assert moving.wait(30)
        (attempt,) = client.backend.find("0123456789ab-slow")
        client.backend.cancel([attempt.run_directory])
        assert not staging.done()
        cancelled.set()
    with pytest.raises(SubmitRejected, match="cancelled"):
        client.submit(staging.result())


def test_a_cancelled_run_refuses_further_attempts(client: Client) -> None:
    first = client.start("false", key=client.key("stop", 1))
    client.wait(first, JobState.FAILED)
    client.backend.cancel([first])
    with pytest.raises(SubmitRejected, match="cancelled"):
        client.start("true", key=client.key("stop", 2))
    client.wait(client.start("true", key=client.key("go-on", 1)), JobState.SUCCEEDED)


def test_cancelling_again_or_too_late_changes_nothing(client: Client) -> None:
    handle = client.start("true")
    status = client.wait(handle, JobState.SUCCEEDED)
    client.backend.cancel([handle])
    client.backend.cancel([handle])
    assert client.status(handle) == status


def test_a_submission_asked_for_again_after_a_cancel_is_still_the_same_job(client: Client) -> None:
    run_directory = client.stage(FOREVER)
    handle = client.submit(run_directory)
    client.backend.cancel([handle])
    assert client.submit(run_directory) == handle
    client.wait(handle, JobState.CANCELLED)


def test_many_are_cancelled_at_once_also_beside_one_that_is_gone(client: Client) -> None:
    handles = [client.start(FOREVER) for _ in range(2)]
    gone = client.stage()
    client.backend.remove(gone)
    with pytest.raises(JobNotFound):
        client.backend.cancel([gone, *handles])
    for handle in handles:
        client.wait(handle, JobState.CANCELLED)
