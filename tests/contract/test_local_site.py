"""What the local backend promises beyond the contract: its queue, and what it makes of broken jobs."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mantik_tasks.backends.base import JobHandle, JobState, Reason
from mantik_tasks.backends.local.processes import processes_by_job
from mantik_tasks.backends.local.slots import SLOT_POLL_SECONDS
from mantik_tasks.errors import BackendError

if TYPE_CHECKING:
    from tests.contract.conftest import Client, Site

FOREVER = "while :; do sleep 0.02; done"
UNTIL_GO = "until [ -e go ]; do sleep 0.02; done"


@pytest.fixture(params=["local"])
def site(request: pytest.FixtureRequest, make_site: Callable[[str], Site]) -> Site:
    """The local site alone."""
    return make_site(request.param)


def supervisor(handle: JobHandle) -> int:
    pid: int = json.loads(Path(handle.path, ".mantik/job.json").read_text())["pid"]
    return pid


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def write_pid(name: str) -> str:
    return f"echo $BASHPID >{name}.new; mv {name}.new {name}"


def change_record(handle: JobHandle, **values: object) -> None:
    path = Path(handle.path, ".mantik/job.json")
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_never_more_jobs_at_once_than_the_limit(client: Client, tmp_path: Path) -> None:
    events = tmp_path / "events"
    handles = [client.start(f"echo + >>{events}; sleep 0.1; echo - >>{events}") for _ in range(8)]
    for handle in handles:
        client.wait(handle, JobState.SUCCEEDED)
    running = 0
    for event in events.read_text().split():
        running += 1 if event == "+" else -1
        assert running <= client.site.limit


def test_who_comes_first_is_served_first(client: Client) -> None:
    handles = []
    for _ in range(client.site.limit + 4):
        handles.append(client.start(UNTIL_GO))
        wait_until(lambda: in_line(handles[-1]))
    running, queued = handles[: client.site.limit], handles[client.site.limit :]
    while queued:
        client.write(running.pop(0), "go", b"")
        first = queued.pop(0)
        client.wait(first, JobState.RUNNING)
        assert {client.status(handle).state for handle in queued} <= {JobState.QUEUED}
        running.append(first)
    for handle in running:
        client.write(handle, "go", b"")


def in_line(handle: JobHandle) -> bool:
    """Whether a job has a slot, or its supervisor has the thread that waits in the queue."""
    if Path(handle.path, ".mantik/started").exists():
        return True
    waiting = Path(f"/proc/{supervisor(handle)}/fd")
    opened = {str(descriptor.readlink()) for descriptor in waiting.iterdir() if descriptor.is_symlink()}
    return any(path.endswith("/.slots/queue") for path in opened)


def test_a_client_killed_at_the_very_moment_it_starts_a_process_causes_no_second_job(client: Client) -> None:
    run_directory = client.stage("echo run >>executions")
    source = f"""
import threading
def die_with_the_first_child():
    tasks = "/proc/self/task"
    while not any(open(f"{{tasks}}/{{task}}/children").read() for task in os.listdir(tasks)):
        pass
    os.kill(os.getpid(), {signal.SIGKILL})
sys.setswitchinterval(1e-5)
threading.Thread(target=die_with_the_first_child).start()
backend.submit(JobRequest(), RunDirectory.model_validate_json(arguments[0]))
"""
    other = client.other_process(source, run_directory.model_dump_json())
    other.communicate(timeout=30)
    assert other.returncode == -signal.SIGKILL
    handle = client.submit(run_directory)
    client.wait(handle, JobState.SUCCEEDED)
    assert client.read(handle, "executions") == b"run\n"


def test_a_supervisor_that_dies_before_it_records_the_job_leaves_the_way_free(client: Client) -> None:
    run_directory = client.stage("echo run >>executions")
    # Not even root can write a file in a folder's place.
    record = Path(run_directory.path, ".mantik/job.json")
    record.mkdir()
    (record / "x").write_text("")
    with pytest.raises(BackendError, match="could not be started"):
        client.submit(run_directory)
    (record / "x").unlink()
    record.rmdir()
    handle = client.submit(run_directory)
    client.wait(handle, JobState.SUCCEEDED)
    assert client.read(handle, "executions") == b"run\n"


def test_modules_of_the_project_are_not_imported_by_the_supervisor(client: Client) -> None:
    evil = b"raise SystemExit('imported')"
    files = {"json.py": evil, "mantik_tasks/__init__.py": evil, "sitecustomize.py": evil, "signal.py": evil}
    client.wait(client.submit(client.stage("true", files)), JobState.SUCCEEDED)


def test_private_variables_wait_in_a_file_of_their_own_until_the_job_starts(client: Client) -> None:
    blockers = [client.start(UNTIL_GO) for _ in range(client.site.limit)]
    for blocker in blockers:
        client.wait(blocker, JobState.RUNNING)
    handle = client.submit(client.stage(UNTIL_GO), {"TOKEN": "s3cr3t"})
    client.wait(handle, JobState.QUEUED)
    environment = f"{handle.path}/.mantik/environment"
    assert client.site.mode(environment) == 0o600
    assert client.site.mode(f"{handle.path}/.mantik") == 0o700
    assert client.files_with(handle, b"s3cr3t") == [environment]
    client.write(blockers[0], "go", b"")
    client.wait(handle, JobState.RUNNING)
    wait_until(lambda: not Path(environment).exists())
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        assert b"s3cr3t" not in read_if_there(path)
    client.backend.cancel([handle])


def read_if_there(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_private_variables_of_a_job_that_never_ran_are_deleted(client: Client) -> None:
    run_directory = client.stage("true", Environment={"PreRunCommandOnLoginNode": ["false"]})
    handle = client.submit(run_directory, {"TOKEN": "s3cr3t"})
    status = client.wait(handle, JobState.FAILED)
    assert status.reason is Reason.LOGIN_COMMAND
    assert client.files_with(handle, b"s3cr3t") == []


def test_a_job_is_cancelled_during_its_login_commands(client: Client) -> None:
    handle = client.start("touch ran", Environment={"PreRunCommandOnLoginNode": [f"touch began; {FOREVER}"]})
    wait_until(lambda: client.read(handle, "began") is not None)
    assert client.status(handle).state is JobState.QUEUED
    client.backend.cancel([handle])
    client.wait(handle, JobState.CANCELLED)
    assert client.read(handle, "ran") is None


def test_what_a_job_leaves_in_the_background_ends_with_it(client: Client) -> None:
    handle = client.start(
        f"setsid bash -c '{write_pid('stray')}; {FOREVER}' & until [ -e stray ]; do :; done"
    )
    client.wait(handle, JobState.SUCCEEDED)
    wait_until(lambda: gone(int(client.read(handle, "stray") or 0)))


def test_a_job_tells_what_it_used(client: Client) -> None:
    handle = client.start("i=0; while ((i++ < 50000)); do :; done")
    accounting = client.wait(handle, JobState.SUCCEEDED).accounting
    assert accounting is not None
    assert accounting.cpu_seconds is not None
    assert accounting.elapsed_seconds is not None
    assert accounting.max_rss_mib is not None
    assert accounting.cpu_seconds > 0
    assert accounting.elapsed_seconds > 0
    assert accounting.max_rss_mib > 1


def test_a_job_goes_on_without_its_supervisor_and_keeps_its_slot(client: Client) -> None:
    handles = [client.start(UNTIL_GO) for _ in range(client.site.limit)]
    for handle in handles:
        client.wait(handle, JobState.RUNNING)
    waiting = client.start("true")
    wait_until(lambda: in_line(waiting))
    os.kill(supervisor(handles[0]), signal.SIGKILL)
    wait_until(lambda: gone(supervisor(handles[0])))
    assert client.status(handles[0]).state is JobState.RUNNING
    with pytest.raises(BackendError):
        client.backend.remove(handles[0])
    # Time for the next in line to look for a slot.
    time.sleep(3 * SLOT_POLL_SECONDS)
    assert client.status(waiting).state is JobState.QUEUED
    client.write(handles[0], "go", b"")
    client.wait(handles[0], JobState.SUCCEEDED)
    client.wait(waiting, JobState.SUCCEEDED)


def test_a_worker_s_own_variables_do_not_reach_the_supervisor(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "worker-secret")
    handle = client.start(UNTIL_GO)
    assert b"worker-secret" not in Path(f"/proc/{supervisor(handle)}/environ").read_bytes()


def test_a_job_without_its_supervisor_is_cancelled(client: Client) -> None:
    handle = client.start(f"trap '' TERM; {write_pid('pid')}; {FOREVER}")
    pid = int(client.wait_for_file(handle, "pid"))
    os.kill(supervisor(handle), signal.SIGKILL)
    wait_until(lambda: gone(supervisor(handle)))
    client.backend.cancel([handle])
    assert gone(pid)
    client.wait(handle, JobState.CANCELLED)


def test_a_job_of_which_nothing_is_left_is_lost(client: Client) -> None:
    handle = client.start(f"{write_pid('pid')}; {FOREVER}")
    client.wait_for_file(handle, "pid")
    # The supervisor first, or it would tell how the job ended.
    os.kill(supervisor(handle), signal.SIGKILL)
    wait_until(lambda: gone(supervisor(handle)))
    for process in processes_by_job()[handle.job_id]:
        process.send(signal.SIGKILL)
    status = client.wait(handle, JobState.FAILED)
    assert status.reason is Reason.LOST


def test_a_supervisor_ended_by_something_else_than_a_cancel_does_not_say_cancelled(client: Client) -> None:
    handle = client.start(FOREVER)
    client.wait(handle, JobState.RUNNING)
    os.kill(supervisor(handle), signal.SIGTERM)
    status = client.wait(handle, JobState.FAILED)
    assert status.reason is Reason.NODE_FAILURE


def test_a_restart_of_the_host_is_told_from_a_lost_job(client: Client) -> None:
    handle = client.start("true")
    client.wait(handle, JobState.SUCCEEDED)
    change_record(handle, boot_id="of-another-boot")
    assert client.status(handle).state is JobState.SUCCEEDED
    for name in ("result.json", "end.json"):
        client.delete(handle, f".mantik/{name}")
    status = client.status(handle)
    assert (status.state, status.reason) == (JobState.FAILED, Reason.NODE_FAILURE)


def test_a_job_of_another_host_is_not_judged_from_here(client: Client) -> None:
    handle = client.start("true")
    client.wait(handle, JobState.SUCCEEDED)
    change_record(handle, boot_id="of-another-host", host="another-host")
    assert client.status(handle).state is JobState.SUCCEEDED
    for name in ("result.json", "end.json"):
        client.delete(handle, f".mantik/{name}")
    status = client.status(handle)
    assert status.state is JobState.UNKNOWN
    assert "another-host" in (status.message or "")


def test_a_pid_that_was_used_again_is_neither_alive_nor_signalled(client: Client) -> None:
    handle = client.start("true")
    client.wait(handle, JobState.SUCCEEDED)
    for name in ("result.json", "end.json"):
        client.delete(handle, f".mantik/{name}")
    change_record(handle, pid=os.getpid())
    assert client.status(handle).reason is Reason.LOST
    client.backend.cancel([handle])


@pytest.mark.parametrize(
    "damage",
    [
        "rm .mantik/job.json; mkdir .mantik/job.json",
        "echo nonsense >.mantik/job.json",
        "echo '[1]' >.mantik/job.json",
        "rm -rf .mantik; touch .mantik",
    ],
)
def test_a_job_that_damages_its_run_directory_hides_no_other(client: Client, damage: str) -> None:
    victim, other = client.start(f"{UNTIL_GO}; {damage}; exit 1"), client.start("true")
    client.wait(other, JobState.SUCCEEDED)
    client.write(victim, "go", b"")
    wait_until(lambda: client.status(victim).state not in (JobState.QUEUED, JobState.RUNNING))
    statuses = client.backend.statuses([victim, other])
    assert statuses[victim].state is not JobState.SUCCEEDED
    assert statuses[other].state is JobState.SUCCEEDED


@pytest.mark.parametrize("name", ["result.json", "end.json", "started"])
@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"exit_code": "no"}', '{"exit_code": 1, "ended_at": 1e300}']
)
def test_nonsense_in_a_job_s_own_files_counts_as_nothing(client: Client, name: str, content: str) -> None:
    handle = client.start("true")
    client.wait(handle, JobState.SUCCEEDED)
    client.write(handle, f".mantik/{name}", content.encode())
    assert client.status(handle).state is JobState.SUCCEEDED


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(client: Client) -> None:
    handle = client.start(
        "rm -f mantik.log; mkfifo mantik.log .mantik/started.pipe; mv .mantik/started.pipe .mantik/started"
    )
    client.wait(handle, JobState.SUCCEEDED)
    assert client.backend.read_logs({handle: 0}) == {handle: b""}


def test_a_site_whose_run_directories_are_all_gone_is_not_believed(client: Client, tmp_path: Path) -> None:
    handle = client.start("true")
    client.wait(handle, JobState.SUCCEEDED)
    runs = Path(handle.path).parent
    runs.rename(tmp_path / "unmounted")
    with pytest.raises(BackendError):
        client.backend.statuses([handle])
    (tmp_path / "unmounted").rename(runs)
    assert client.status(handle).state is JobState.SUCCEEDED


def test_a_half_deleted_run_directory_is_deleted_by_the_next_call(client: Client) -> None:
    handle = client.start("true")
    client.wait(handle, JobState.SUCCEEDED)
    path = Path(handle.path)
    path.rename(path.with_name(f".removed-{path.name}"))
    client.backend.remove(handle)
    assert sorted(name.name for name in path.parent.iterdir()) == [".slots"]
