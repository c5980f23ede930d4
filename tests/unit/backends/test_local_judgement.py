"""What the local backend makes of what it sees."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mantik_tasks.backends.base import JobState, Reason
from mantik_tasks.backends.local.connection import LocalConnection
from mantik_tasks.backends.local.observation import Observation, judge
from mantik_tasks.backends.local.processes import Process, descendants
from mantik_tasks.backends.local.records import JobEnd, JobRecord
from mantik_tasks.backends.verdict import JobResult

RECORD = JobRecord(job_id="1", pid=1, start_ticks=1, boot_id="b", host="h", submitted_at=1, limit=2)
FAILURE = JobResult(exit_code=3, step="main", ended_at=20)


def end(state: JobState, reason: Reason | None = None, exit_code: int | None = None) -> JobEnd:
    return JobEnd(
        state=state,
        reason=reason,
        exit_code=exit_code,
        message=None,
        started_at=10,
        ended_at=20,
        cpu_seconds=1,
        max_rss_mib=1,
    )


@pytest.mark.parametrize(
    ("seen", "state", "reason"),
    [
        (Observation(RECORD, supervised=True), "QUEUED", None),
        (Observation(RECORD, supervised=True, started_at=10), "RUNNING", None),
        (Observation(RECORD, running=True, started_at=10), "RUNNING", None),
        (Observation(RECORD, supervised=True, started_at=10, result=FAILURE), "RUNNING", None),
        (Observation(RECORD, end=end(JobState.FAILED, Reason.EXIT_CODE, 3)), "FAILED", "EXIT_CODE"),
        (Observation(RECORD, end=end(JobState.FAILED, Reason.TIMEOUT), result=FAILURE), "FAILED", "TIMEOUT"),
        (Observation(RECORD, end=end(JobState.CANCELLED), result=FAILURE), "CANCELLED", None),
        (Observation(RECORD, end=end(JobState.CANCELLED), result=JobResult(exit_code=0)), "SUCCEEDED", None),
        (Observation(RECORD, result=FAILURE), "FAILED", "EXIT_CODE"),
        (Observation(RECORD, result=FAILURE, this_boot=False), "FAILED", "EXIT_CODE"),
        (Observation(RECORD, result=FAILURE, cancelled_at=15), "CANCELLED", None),
        (Observation(RECORD, result=FAILURE, cancelled_at=25), "FAILED", "EXIT_CODE"),
        (Observation(RECORD, cancelled_at=15), "CANCELLED", None),
        (Observation(RECORD), "FAILED", "LOST"),
        (Observation(RECORD, this_boot=False), "FAILED", "NODE_FAILURE"),
        (Observation(RECORD, this_boot=False, this_host=False), "UNKNOWN", None),
    ],
)
def test_a_state_follows_from_what_is_seen(seen: Observation, state: str, reason: str | None) -> None:
    status = judge(seen)
    assert (status.state, status.reason) == (state, reason)


def test_a_process_is_known_by_more_than_its_pid() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    (process,) = (process for process in descendants(os.getpid()) if process.pid == child.pid)
    assert process.alive
    assert not Process(child.pid, process.start_ticks - 1).alive
    child.communicate(b"\n")
    assert not process.alive


def test_a_process_s_name_does_not_confuse_the_reader(tmp_path: Path) -> None:
    program = tmp_path / ") Z 1 (\n"
    program.symlink_to("/bin/sleep")
    child = subprocess.Popen([program, "60"])
    try:
        assert child.pid in {process.pid for process in descendants(os.getpid())}
    finally:
        child.kill()
        child.wait()


def test_the_supervisor_starts_without_any_dependency() -> None:
    program = (
        "import sys; before = set(sys.modules); import mantik_tasks.backends.local.supervisor; "
        "print({name.partition('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"
    )
    root = Path(__file__).resolve().parents[3]
    command = [sys.executable, "-S", "-c", program]
    assert subprocess.check_output(command, cwd=root, text=True).strip() == "{'mantik_tasks'}"


def test_a_connection_names_base_and_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    backend = LocalConnection().connect()
    assert backend.base_directory == str(tmp_path)
    assert backend.site.endswith(f"@{os.uname().nodename}")
    assert LocalConnection().config_defaults().keys == {"Local": {}}
    assert LocalConnection().max_concurrent_jobs == os.cpu_count()
