"""The result file: last, whole, and only if the job ended by itself."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

Job = Callable[..., str]
Wait = Callable[[Callable[[], object]], None]


def test_result_tells_how_when_and_where(node: Any, job: Job) -> None:
    before = int(time.time())
    node.run(job())
    result = node.result
    assert result.pop("host") == os.uname().nodename
    assert before <= result.pop("started_at") <= result.pop("ended_at") <= time.time()
    assert result == {"exit_code": 0, "step": "main", "job_id": "job-1"}


def test_result_comes_after_the_last_step(node: Any, job: Job) -> None:
    node.run(job("true", PostRunCommandOnComputeNode="ls .mantik"))
    assert node.result["exit_code"] == 0
    assert "result" not in node.log


def test_result_is_json_whatever_the_names(node: Any, job: Job) -> None:
    odd = '1"\\ü\t'
    node.run(job(Modules=["broken", odd.strip()]), node.environment(MANTIK_JOB_ID=odd, HOSTNAME=odd))
    assert (node.result["job_id"], node.result["host"]) == ("1?????", "1?????")
    assert node.result["step"] == "Modules: broken 1????"


@pytest.mark.parametrize("name", ["TERM", "HUP", "USR1", "XCPU", "KILL"])
def test_signal_to_the_job_leaves_no_result(node: Any, job: Job, wait_for: Wait, name: str) -> None:
    text = job("touch running; exec sleep 30", PostRunCommandOnComputeNode="probe")
    process = node.start(text)
    wait_for((node.run_directory / "running").exists)
    os.killpg(process.pid, signal.Signals[f"SIG{name}"])
    process.communicate(timeout=10)
    assert process.returncode == -signal.Signals[f"SIG{name}"]
    assert not node.result_file.exists()
    assert node.calls("probe") == []


def test_signal_that_reaches_the_script_after_its_steps_leaves_no_result(
    node: Any, job: Job, wait_for: Wait
) -> None:
    node.install("sleep", "#!/bin/sh\ntouch waiting\nexec /bin/sleep 30\n")
    process = node.start(job("kill -TERM $$"))
    wait_for((node.run_directory / "waiting").exists)
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate(timeout=10)
    assert process.returncode == -signal.SIGTERM
    assert not node.result_file.exists()


def test_entry_point_that_is_killed_alone_is_a_failure(node: Any, job: Job) -> None:
    assert node.run(job("kill -KILL $$")).returncode == 137
    assert (node.result["exit_code"], node.result["step"]) == (137, "main")


def test_shell_that_kills_itself_is_named_and_its_text_stays_out_of_the_log(node: Any, job: Job) -> None:
    text = job(Variables={"VALUE": "of mine"}, PreRunCommandOnComputeNode="kill -KILL $BASHPID")
    assert node.run(text).returncode == 137
    assert node.result["step"] == "PreRunCommandOnComputeNode 1"
    assert node.log == 'mantik: step "PreRunCommandOnComputeNode 1" failed with exit code 137\n'


def test_full_disk_leaves_no_half_result(node: Any, job: Job) -> None:
    node.install("cat", "#!/bin/sh\nhead -c 10\necho 'No space left on device' >&2\nexit 1\n")
    assert node.run(job("exit 3")).returncode == 3
    assert list(node.private.glob("result*")) == []
    assert "mantik: the result could not be written" in node.log
