"""Private variables reach the job and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from mantik_tasks.backends.environment import encode_environment
from mantik_tasks.script.render import render

Job = Callable[..., str]
SECRET = "s3cr3t 'x' \"y\" $HOME `z`\n\\ ü"
SLURM: dict[str, Any] = {"Slurm": {}}


def put_secret(node: Any, **more: str) -> Path:
    file: Path = node.private / "environment"
    secrets = {name: SecretStr(value) for name, value in {"TRACKING_TOKEN": SECRET, **more}.items()}
    file.write_bytes(encode_environment(secrets))
    file.chmod(0o600)
    return file


def test_value_arrives_whole_and_the_file_is_gone_before_any_command_runs(node: Any, job: Job) -> None:
    file = put_secret(node, EMPTY="")
    text = job("probe; ls .mantik", PreRunCommandOnComputeNode="ls .mantik")
    assert node.run(text).returncode == 0
    [call] = node.calls("probe")
    assert (call.environment["TRACKING_TOKEN"], call.environment["EMPTY"]) == (SECRET, "")
    assert not file.exists()
    assert "environment" not in node.log


def test_value_is_in_no_argument_no_file_and_no_trace(node: Any, job: Job) -> None:
    put_secret(node)
    text = job("cat /proc/[0-9]*/cmdline >processes 2>/dev/null; true", Modules="good")
    # A site may trace its logins.
    done = node.run(text, node.environment(SHELLOPTS="xtrace:verbose"))
    assert done.returncode == 0
    written = [path.read_bytes() for path in node.run_directory.rglob("*") if path.is_file()]
    assert b"spool" in b"".join(written)
    assert b"s3cr3t" not in b"".join(written)
    assert "s3cr3t" not in done.stdout + done.stderr
    assert all("s3cr3t" not in argument for call in node.calls() for argument in call.argv)


def test_variables_of_the_config_win_and_may_use_private_ones(node: Any, job: Job) -> None:
    put_secret(node, NAME="private")
    node.run(job(Variables={"GREETING": "hello $NAME", "NAME": "mine"}))
    [call] = node.calls("probe")
    assert (call.environment["GREETING"], call.environment["NAME"]) == ("hello private", "mine")


def test_file_is_optional(node: Any, job: Job) -> None:
    assert node.run(job()).returncode == 0


def test_record_that_is_no_variable_is_left_out_unseen(node: Any, job: Job) -> None:
    (node.private / "environment").write_bytes(b"bad-name=s3cr3t\0a[$(touch x)]=s3cr3t\0LAST=1")
    assert node.run(job()).returncode == 0
    assert node.calls("probe")[0].environment["LAST"] == "1"
    assert node.log == ""
    assert not (node.run_directory / "x").exists()


@pytest.mark.parametrize("outcome", ["true", "exit 3"])
def test_job_that_may_start_again_keeps_the_file_until_it_ends(
    node: Any, make_spec: Callable[..., Any], outcome: str
) -> None:
    file = put_secret(node)
    spec = make_spec(
        f"[[ -e .mantik/environment ]] && probe; {outcome}",
        SLURM,
        Resources={"ExtraOptions": "--requeue"},
    )
    node.run(render(spec).job, node.environment(SLURM_JOB_ID="5"))
    assert len(node.calls("probe")) == 1
    assert not file.exists()
