"""A run is executed exactly once, whatever its clients do."""

from __future__ import annotations

import json
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mantik_tasks.backends.base import Bundle, BundleFile, JobHandle, JobState, RunDirectory, TransferProgress
from mantik_tasks.errors import BackendError, JobNotFound, SubmitRejected, TransferError
from mantik_tasks.keys import split_attempt_key

if TYPE_CHECKING:
    from tests.contract.conftest import Client

COUNT = "echo run >>executions"
SUBMIT = """
run_directory = RunDirectory.model_validate_json(arguments[0])
print("ready", flush=True)
sys.stdin.readline()
print(backend.submit(JobRequest(), run_directory).model_dump_json(), flush=True)
"""


def executions(client: Client, handle: JobHandle) -> int:
    client.wait(handle)
    return (client.read(handle, "executions") or b"").count(b"run")


def found(client: Client, run_directory: RunDirectory) -> JobHandle | None:
    (attempt,) = client.backend.find(split_attempt_key(run_directory.key)[0])
    return attempt.run_directory if isinstance(attempt.run_directory, JobHandle) else None


def test_the_same_attempt_is_the_same_job(client: Client) -> None:
    run_directory = client.stage(COUNT)
    first = client.submit(run_directory)
    assert client.submit(run_directory) == first
    assert client.submit(first) == first
    assert executions(client, first) == 1
    assert client.submit(run_directory) == first
    assert executions(client, first) == 1


def test_a_handle_is_plain_data_that_leads_back(client: Client) -> None:
    handle = client.start("true")
    assert JobHandle.model_validate_json(handle.model_dump_json()) == handle
    assert client.wait(JobHandle.model_validate_json(handle.model_dump_json())).state is JobState.SUCCEEDED


def test_threads_and_processes_that_submit_at_once_get_one_job(client: Client) -> None:
    run_directory = client.stage(COUNT)
    others = [client.other_process(SUBMIT, run_directory.model_dump_json()) for _ in range(3)]
    for other in others:
        assert other.stdout is not None
        assert other.stdout.readline() == "ready\n"
    with ThreadPoolExecutor(4) as pool:
        for other in others:
            assert other.stdin is not None
            other.stdin.write("go\n")
            other.stdin.flush()
        mine = set(pool.map(lambda _: client.submit(run_directory), range(4)))
    theirs = {JobHandle.model_validate_json(other.communicate(timeout=30)[0]) for other in others}
    assert len(mine | theirs) == 1
    assert executions(client, *mine) == 1


@pytest.mark.parametrize("delay_seconds", [0, 0.01, 0.03, 0.06, 0.12])
def test_a_client_killed_while_it_submits_causes_no_second_job(client: Client, delay_seconds: float) -> None:
    run_directory = client.stage(COUNT)
    other = client.other_process(SUBMIT, run_directory.model_dump_json())
    assert other.stdin is not None
    assert other.stdout is not None
    assert other.stdout.readline() == "ready\n"
    other.stdin.write("go\n")
    other.stdin.flush()
    time.sleep(delay_seconds)
    other.kill()
    other.communicate(timeout=30)
    handle = client.submit(run_directory)
    assert executions(client, handle) == 1
    assert found(client, run_directory) == handle


def test_a_job_outlives_its_client_and_is_found_again(client: Client) -> None:
    run_directory = client.stage(f"{COUNT}; until [ -e go ]; do sleep 0.02; done; touch done")
    source = f"{SUBMIT}\nos.killpg(0, {signal.SIGKILL})\n"
    # The whole process group dies, as when a terminal or a service ends.
    other = client.other_process(f"os.setsid()\n{source}", run_directory.model_dump_json())
    handle = JobHandle.model_validate_json(other.communicate("go\n", timeout=30)[0].removeprefix("ready\n"))
    assert other.returncode == -signal.SIGKILL
    assert found(client, run_directory) == handle
    client.wait(handle, JobState.RUNNING)
    source = """
(attempt,) = backend.find(arguments[0])
handle = attempt.run_directory
print(backend.statuses([handle])[handle].state, backend.submit(JobRequest(), handle) == handle)
"""
    run_key, _ = split_attempt_key(handle.key)
    assert client.other_process(source, run_key).communicate(timeout=30)[0] == "RUNNING True\n"
    client.write(handle, "go", b"")
    client.wait(handle, JobState.SUCCEEDED)
    assert executions(client, handle) == 1
    assert client.read(handle, "done") == b""


def test_what_was_not_staged_whole_is_not_submitted(client: Client) -> None:
    key = client.key("cut")
    with pytest.raises(TransferError):
        client.backend.stage(missing_file(client.bundle(COUNT)), key, TransferProgress())
    (attempt,) = client.backend.find("0123456789ab-cut")
    with pytest.raises(JobNotFound):
        client.submit(attempt.run_directory)


def missing_file(bundle: Bundle) -> Bundle:
    return replace(bundle, files=(BundleFile("data", lambda: Path("/nowhere/data").open("rb")),))


def test_what_is_not_there_is_not_submitted(client: Client) -> None:
    removed = client.stage()
    client.backend.remove(removed)
    with pytest.raises(JobNotFound):
        client.submit(removed)


def test_a_run_directory_of_somebody_else_is_refused(client: Client) -> None:
    run_directory = client.stage()
    elsewhere = run_directory.model_copy(update={"path": f"/elsewhere/mantik-runs/{run_directory.key}"})
    with pytest.raises(BackendError):
        client.submit(elsewhere)


def test_private_variables_reach_the_job_whole_and_nothing_else(client: Client) -> None:
    values = {"TOKEN": "s3cr3t-$HOME-'\"\\", "LINES": "one\n two \n", "EMPTY": "", "UNICODE": "ä😀"}
    tell = "import json, os, sys; json.dump({k: os.environ[k] for k in sys.argv[1:]}, open('seen', 'w'))"
    command = (
        f'until [ -e go ]; do sleep 0.02; done; python3 -c "{tell}" TOKEN LINES EMPTY UNICODE; ls .mantik'
    )
    handle = client.submit(client.stage(command), values)
    client.wait(handle, JobState.RUNNING)
    client.write(handle, "go", b"")
    client.wait(handle, JobState.SUCCEEDED)
    assert json.loads(client.read(handle, "seen") or b"") == values
    assert b"environment" not in (client.read(handle, "mantik.log") or b"environment")
    client.delete(handle, "seen")
    assert client.files_with(handle, b"s3cr3t") == []


def test_a_worker_s_own_variables_reach_neither_the_job_nor_the_login_commands(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PREFECT_API_KEY", "worker-secret")
    tell = "env >>seen"
    handle = client.start(
        tell, Environment={"PreRunCommandOnLoginNode": [tell], "PostRunCommandOnLoginNode": [tell]}
    )
    client.wait(handle, JobState.SUCCEEDED)
    client.backend.finish(handle)
    seen = client.read(handle, "seen") or b""
    assert seen.count(b"UC_WORKING_DIRECTORY=") == 3
    assert b"worker-secret" not in seen


@pytest.mark.parametrize(
    ("name", "value"), [("A B", "x"), ("A=B", "x"), ("", "x"), ("1A", "x"), ("A", "x\0y")]
)
def test_a_variable_that_no_shell_can_hold_is_refused_without_its_value(
    client: Client, name: str, value: str
) -> None:
    run_directory = client.stage()
    with pytest.raises(SubmitRejected) as refused:
        client.submit(run_directory, {name: value})
    assert value not in str(refused.value)
    assert found(client, run_directory) is None


def test_login_commands_before_the_job_run_once_in_the_run_directory(client: Client) -> None:
    run_directory = client.stage(
        "cat from-login",
        Environment={
            "PreRunCommandOnLoginNode": ['pwd >>from-login; echo "$MANTIK_WORKING_DIRECTORY" >>from-login']
        },
    )
    handle = client.submit(run_directory)
    client.submit(run_directory)
    client.wait(handle, JobState.SUCCEEDED)
    assert client.read(handle, "from-login") == f"{handle.path}\n{handle.path}\n".encode()
    assert os.fsencode(handle.path) in (client.read(handle, "mantik.log") or b"")
