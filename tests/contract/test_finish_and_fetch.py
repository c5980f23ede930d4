"""What follows a job: login-node commands, files that come home, tidying up."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mantik_tasks.backends.base import JobHandle, JobState, Reason, TransferProgress, TransferStopped
from mantik_tasks.errors import BackendError, ConfigError, SubmitRejected, TransferError
from mantik_tasks.keys import split_attempt_key

if TYPE_CHECKING:
    from tests.contract.conftest import Client


def after(client: Client, *commands: str, command: str = "true") -> JobHandle:
    """Return a job that has succeeded, with login-node commands to follow."""
    handle = client.start(command, Environment={"PostRunCommandOnLoginNode": list(commands)})
    client.wait(handle, JobState.SUCCEEDED)
    return handle


def done(client: Client, files: dict[str, bytes] | None = None, command: str = "true") -> JobHandle:
    """Return a job that has succeeded."""
    handle = client.submit(client.stage(command, files))
    client.wait(handle, JobState.SUCCEEDED)
    return handle


def fetched_files(target: Path) -> dict[str, bytes]:
    return {str(path.relative_to(target)): path.read_bytes() for path in target.rglob("*") if path.is_file()}


def test_login_commands_after_the_job_run_once_in_the_run_directory(client: Client) -> None:
    handle = after(client, "pwd >>after; cat result >>after", command="echo result >result")
    assert client.read(handle, "after") is None
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(client.backend.finish, [handle] * 3))
    client.backend.finish(handle)
    assert client.read(handle, "after") == f"{handle.path}\nresult\n".encode()


def test_a_client_killed_meanwhile_does_not_make_them_run_again(client: Client) -> None:
    handle = after(client, "echo once >>after; until [ -e go ]; do sleep 0.02; done; echo end >>after")
    other = client.other_process(
        "backend.finish(JobHandle.model_validate_json(arguments[0]))", handle.model_dump_json()
    )
    client.wait_for_file(handle, "after")
    other.kill()
    other.communicate(timeout=30)
    client.write(handle, "go", b"")
    client.backend.finish(handle)
    assert client.read(handle, "after") == b"once\nend\n"


def test_login_commands_that_fail_after_the_job_are_told_each_time(client: Client) -> None:
    handle = after(client, "echo x >>after", "echo sorry; (exit 7)", "echo never >>after")
    for _ in range(2):
        with pytest.raises(BackendError, match="7"):
            client.backend.finish(handle)
    assert client.read(handle, "after") == b"x\n"
    assert b"sorry" in (client.read(handle, "mantik-login.log") or b"")
    assert client.status(handle).state is JobState.SUCCEEDED


def test_without_login_commands_there_is_nothing_to_finish(client: Client) -> None:
    client.backend.finish(done(client))


def test_login_commands_that_fail_before_the_job_keep_it_from_running(client: Client) -> None:
    run_directory = client.stage(
        "touch ran", Environment={"PreRunCommandOnLoginNode": ["echo sorry; (exit 7)"]}
    )
    try:
        status = client.wait(client.submit(run_directory), JobState.FAILED)
    except SubmitRejected as rejected:
        assert "7" in str(rejected)  # noqa: PT017 - a site may also tell it at once
    else:
        assert (status.reason, status.exit_code) == (Reason.LOGIN_COMMAND, 7)
    assert client.read(run_directory, "ran") is None
    assert b"sorry" in (client.read(run_directory, "mantik-login.log") or b"")


def test_files_that_match_come_home(client: Client, tmp_path: Path) -> None:
    files = {
        "a.png": b"a",
        "out/b.png": b"b",
        "out/c.txt": b"c",
        "out/deep/d.txt": b"d",
        "e.txt": b"e",
        "out.x": b"x",
    }
    handle = done(client, files)
    assert client.fetch(handle, tmp_path / "png", "*.png") == ("a.png", "out/b.png")
    assert client.fetch(handle, tmp_path / "out", "out/") == ("out/b.png", "out/c.txt", "out/deep/d.txt")
    assert client.fetch(handle, tmp_path / "root", "/*.txt") == ("e.txt",)
    assert client.fetch(handle, tmp_path / "not", "out/", "!*.png") == ("out/c.txt", "out/deep/d.txt")
    assert client.fetch(handle, tmp_path / "stars", "out/**/d.txt") == ("out/deep/d.txt",)
    assert client.fetch(handle, tmp_path / "none") == ()
    assert fetched_files(tmp_path / "out") == {name: files[name] for name in files if name.startswith("out/")}


def test_fetched_is_what_came_home_whole(client: Client, tmp_path: Path) -> None:
    handle = done(client, {f"f{number}": b"x" for number in range(5)})
    run_key, _ = split_attempt_key(handle.key)
    progress = TransferProgress()
    progress.stop.set()
    with pytest.raises(TransferStopped):
        client.backend.fetch(handle, ["f*"], tmp_path / "target", progress)
    assert not client.backend.find(run_key)[0].fetched
    progress = TransferProgress()
    client.backend.fetch(handle, ["f*"], tmp_path / "target", progress)
    assert client.backend.find(run_key)[0].fetched
    assert (progress.total_files, progress.done_files, progress.total_bytes, progress.done_bytes) == (
        5,
        5,
        5,
        5,
    )


def test_the_log_comes_home_after_a_failure_and_again(client: Client, tmp_path: Path) -> None:
    handle = client.start("echo before; (exit 3)")
    client.wait(handle, JobState.FAILED)
    for _ in range(2):
        assert client.fetch(handle, tmp_path / "target", "/mantik.log") == ("mantik.log",)
    assert (tmp_path / "target/mantik.log").read_bytes().startswith(b"before\n")


def test_any_name_comes_home(client: Client, tmp_path: Path, odd_names: list[str]) -> None:
    handle = done(client, {name: name.encode(errors="surrogateescape") for name in odd_names})
    client.fetch(handle, tmp_path / "target", "*", "!mantik*", "!slurm*")
    home = {
        os.fsencode(path): path.read_bytes() for path in (tmp_path / "target").rglob("*") if path.is_file()
    }
    assert home == {os.fsencode(tmp_path / "target" / name): os.fsencode(name) for name in odd_names}


def test_links_come_home_as_files_and_never_lead_out(client: Client, tmp_path: Path) -> None:
    (tmp_path / "outside").write_bytes(b"outside")
    handle = client.submit(
        client.stage(
            f"ln -s data inside; ln -s {tmp_path}/outside outside; ln -s nowhere broken; ln -s . loop; "
            "ln -s / all; ln -s .mantik/intent.json private; ln -s .mantik ours; mkfifo pipe",
            {"data": b"data"},
        )
    )
    client.wait(handle, JobState.SUCCEEDED)
    assert client.fetch(handle, tmp_path / "target", "*", "!/mantik.log", "!slurm*") == ("data", "inside")
    assert fetched_files(tmp_path / "target") == {"data": b"data", "inside": b"data"}
    assert not (tmp_path / "target/inside").is_symlink()


def test_our_own_files_never_come_home(client: Client, tmp_path: Path) -> None:
    handle = done(client, {"a": b"a"})
    assert (
        client.fetch(handle, tmp_path / "t", ".mantik/", "/.mantik/**", "*.json", ".mantik/intent.json") == ()
    )


def test_links_in_the_target_are_not_followed(client: Client, tmp_path: Path) -> None:
    handle = done(client, {"out/a": b"a", "b": b"b"})
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "b").write_bytes(b"keep")
    target = tmp_path / "target"
    target.mkdir()
    (target / "out").symlink_to(elsewhere)
    (target / "b").symlink_to(elsewhere / "b")
    with pytest.raises(TransferError):
        client.fetch(handle, target, "out/")
    client.fetch(handle, target, "/b")
    assert fetched_files(elsewhere) == {"b": b"keep"}


def test_a_pattern_that_is_none_is_told(client: Client, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        client.fetch(done(client), tmp_path / "target", "!")


def test_a_run_directory_is_removed_and_nothing_else(client: Client) -> None:
    handle, other = done(client, {"locked/x": b"x"}, "chmod 000 locked; ln -s ../.. up"), done(client)
    base_mode = client.site.mode(client.backend.base_directory)
    client.backend.remove(handle)
    client.backend.remove(handle)
    assert client.site.mode(client.backend.base_directory) == base_mode
    assert client.backend.find(split_attempt_key(handle.key)[0]) == ()
    assert client.status(other).state is JobState.SUCCEEDED
    assert client.site.files(handle.path) == []


def test_a_job_does_not_lose_its_run_directory_while_it_lives(client: Client) -> None:
    handle = client.start("touch began; while :; do sleep 0.02; done")
    client.wait(handle, JobState.RUNNING)
    with pytest.raises(BackendError, match="ended"):
        client.backend.remove(handle)
    assert client.status(handle).state is JobState.RUNNING


@pytest.mark.parametrize(
    "path", ["/", "/etc", "{base}", "{base}/mantik-runs", "{path}/..", "{path}/.mantik", "{path}/"]
)
def test_only_a_run_directory_can_be_removed(client: Client, path: str) -> None:
    run_directory = client.stage(files={"a": b"a"})
    wrong = path.format(base=client.backend.base_directory, path=run_directory.path)
    with pytest.raises(BackendError):
        client.backend.remove(run_directory.model_copy(update={"path": wrong}))
    assert client.read(run_directory, "a") == b"a"
