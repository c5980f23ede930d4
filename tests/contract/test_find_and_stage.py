"""What a site knows of a run, and how files get there."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, BinaryIO

import pytest

from mantik_tasks.backends.base import (
    Backend,
    Bundle,
    BundleFile,
    JobHandle,
    RunDirectory,
    TransferProgress,
    TransferStopped,
)
from mantik_tasks.errors import BackendError, TransferError
from mantik_tasks.keys import split_attempt_key

if TYPE_CHECKING:
    from tests.contract.conftest import Client, Site


class Counter:
    """Counts how often each file's content was asked for."""

    def __init__(self) -> None:
        self.opened: list[str] = []

    def watch(self, bundle: Bundle) -> Bundle:
        files = tuple(replace(file, open=self._opener(file)) for file in bundle.files)
        return replace(bundle, files=files)

    def _opener(self, file: BundleFile) -> Callable[[], BinaryIO]:
        def opened() -> BinaryIO:
            self.opened.append(file.path)
            return file.open()

        return opened


def content(client: Client, run_directory: RunDirectory, *paths: str) -> dict[str, bytes | None]:
    return {path: client.read(run_directory, path) for path in paths}


def test_the_backend_is_one_and_equal_connections_share_it(site: Site) -> None:
    backend = site.connection().connect()
    assert isinstance(backend, Backend)
    assert site.connection().connect() is backend


def test_a_site_that_knows_nothing_says_so(client: Client) -> None:
    assert client.backend.find("0123456789ab-nothing") == ()


def test_a_site_that_cannot_be_asked_never_says_nothing(site: Site, client: Client) -> None:
    broken = site.broken_connection().connect()
    run_directory = client.stage()
    path = run_directory.path.replace(client.backend.base_directory, broken.base_directory)
    handle = JobHandle(**(dict(run_directory) | {"path": path}), job_id="1")
    with pytest.raises(BackendError):
        broken.find("0123456789ab-nothing")
    with pytest.raises(BackendError):
        broken.statuses([handle])
    with pytest.raises(BackendError):
        broken.read_logs({handle: 0})


def test_an_attempt_is_known_before_its_job_is_submitted(client: Client) -> None:
    bundle = client.bundle("echo hello", {"a.txt": b"a"})
    run_directory = client.backend.stage(bundle, client.key("known"), TransferProgress())
    (attempt,) = client.backend.find("0123456789ab-known")
    assert attempt.number == 1
    assert attempt.run_directory == run_directory
    assert not isinstance(attempt.run_directory, JobHandle)
    assert attempt.intent.spec == bundle.intent.spec
    assert attempt.intent.script == bundle.intent.script
    assert (attempt.staged, attempt.cancelled, attempt.fetched, attempt.status) == (True, False, False, None)
    assert run_directory.path.startswith(client.backend.base_directory)


def test_attempts_come_by_number_and_runs_do_not_mix(client: Client) -> None:
    for number in (10, 2, 1):
        client.stage(key=client.key("mix", number))
    client.stage(key=client.key("mix-2"))
    client.stage(key=client.key("mix-a1"))
    assert [attempt.number for attempt in client.backend.find("0123456789ab-mix")] == [1, 2, 10]


def test_files_arrive_with_content_and_mode(client: Client, site: Site) -> None:
    bundle = client.bundle("true", {"a.txt": b"a", "sub/run.sh": b"#!/bin/sh\n", "empty": b""})
    files = tuple(replace(file, mode=0o750) if file.path == "sub/run.sh" else file for file in bundle.files)
    run_directory = client.backend.stage(replace(bundle, files=files), client.key(), TransferProgress())
    assert content(client, run_directory, "a.txt", "sub/run.sh", "empty") == {
        "a.txt": b"a",
        "sub/run.sh": b"#!/bin/sh\n",
        "empty": b"",
    }
    assert site.mode(f"{run_directory.path}/sub/run.sh") == 0o750
    assert site.mode(f"{run_directory.path}/a.txt") == 0o644
    assert site.mode(run_directory.path) == 0o700


def test_any_name_arrives(client: Client, odd_names: list[str]) -> None:
    files = {name: name.encode(errors="surrogateescape") for name in odd_names}
    run_directory = client.stage(files=files)
    assert content(client, run_directory, *files) == files
    assert client.read(run_directory, "pwned") is None


def test_many_files_arrive_and_a_repeat_sends_nothing(client: Client) -> None:
    bundle = client.bundle("true", {f"d{number % 50}/f{number}": b"%d" % number for number in range(2000)})
    key, progress, counter = client.key(), TransferProgress(), Counter()
    run_directory = client.backend.stage(bundle, key, progress)
    assert (progress.done_files, progress.done_bytes) == (2000, sum(f.size_bytes or 0 for f in bundle.files))
    assert client.read(run_directory, "d49/f1999") == b"1999"
    assert client.backend.stage(counter.watch(bundle), key, TransferProgress()) == run_directory
    assert counter.opened == []


def test_a_file_of_unknown_size_and_digest_arrives(client: Client) -> None:
    bundle = client.bundle("true")
    files = (BundleFile("stream.bin", lambda: io.BytesIO(b"x" * 3_000_000)),)
    run_directory = client.backend.stage(replace(bundle, files=files), client.key(), TransferProgress())
    assert client.read(run_directory, "stream.bin") == b"x" * 3_000_000


def test_a_staging_that_was_stopped_goes_on_where_it_was(client: Client) -> None:
    bundle = client.bundle("true", {f"f{number}": b"%d" % number for number in range(10)})
    key, progress = client.key("cut"), TransferProgress()

    class StopsAtFive(Counter):
        def _opener(self, file: BundleFile) -> Callable[[], BinaryIO]:
            opened = super()._opener(file)

            def stopping() -> BinaryIO:
                if file.path == "f5":
                    progress.stop.set()
                return opened()

            return stopping

    with pytest.raises(TransferStopped):
        client.backend.stage(StopsAtFive().watch(bundle), key, progress)
    (attempt,) = client.backend.find(split_attempt_key(key)[0])
    assert not attempt.staged
    counter = Counter()
    client.backend.stage(counter.watch(bundle), key, TransferProgress())
    assert not {"f0", "f1", "f2", "f3", "f4"} & set(counter.opened)
    assert {"f6", "f7", "f8", "f9"} <= set(counter.opened)
    (attempt,) = client.backend.find(split_attempt_key(key)[0])
    assert attempt.staged


def test_a_bundle_that_changed_replaces_what_it_sent_and_nothing_else(client: Client) -> None:
    key = client.key()
    run_directory = client.stage(
        files={"same": b"1", "changed": b"1", "gone/deep": b"1", "node": b"1"}, key=key
    )
    bundle = client.bundle("echo new", {"same": b"1", "changed": b"2", "node/now-a-folder": b"2"})
    counter = Counter()
    client.backend.stage(counter.watch(bundle), key, TransferProgress())
    assert counter.opened == ["changed", "node/now-a-folder"]
    assert content(client, run_directory, "same", "changed", "gone/deep", "node/now-a-folder") == {
        "same": b"1",
        "changed": b"2",
        "gone/deep": None,
        "node/now-a-folder": b"2",
    }
    (attempt,) = client.backend.find(split_attempt_key(key)[0])
    assert attempt.intent.spec.command == "echo new"


def test_files_stay_as_they_are_once_the_job_is_submitted(client: Client) -> None:
    key = client.key()
    handle = client.submit(client.stage("cat data", {"data": b"before"}, key=key))
    with pytest.raises(TransferError, match="submitted"):
        client.stage(files={"data": b"after"}, key=key)
    assert client.read(handle, "data") == b"before"


@pytest.mark.parametrize("sent", [b"other", b"shorter", b"right but longer", b""])
def test_a_file_that_is_not_what_was_promised_is_refused(client: Client, sent: bytes) -> None:
    bundle = client.bundle("true", {"data": b"right"})
    files = tuple(replace(file, open=lambda: io.BytesIO(sent)) for file in bundle.files)
    key = client.key()
    with pytest.raises(TransferError, match="data"):
        client.backend.stage(replace(bundle, files=files), key, TransferProgress())
    (attempt,) = client.backend.find(split_attempt_key(key)[0])
    assert not attempt.staged
    assert client.read(attempt.run_directory, "data") is None


def test_a_file_that_cannot_be_read_at_home_is_a_transfer_error(client: Client) -> None:
    def fail() -> BinaryIO:
        raise FileNotFoundError("deleted meanwhile")

    bundle = client.bundle("true")
    with pytest.raises(TransferError, match="deleted meanwhile"):
        client.backend.stage(
            replace(bundle, files=(BundleFile("x", fail),)), client.key(), TransferProgress()
        )


@pytest.mark.parametrize(
    "path",
    [
        "/etc/x",
        "../x",
        "a/../../x",
        "a/..",
        ".",
        "..",
        "",
        "a//b",
        "./a",
        "a\0b",
        ".mantik/job.sh",
        ".mantik",
    ],
)
def test_no_path_leads_out_of_the_run_directory_or_into_our_own_folder(client: Client, path: str) -> None:
    key = client.key()
    with pytest.raises(TransferError):
        client.stage(files={"fine": b"", path: b"x"}, key=key)
    assert not any(attempt.staged for attempt in client.backend.find(split_attempt_key(key)[0]))


@pytest.mark.parametrize(
    "key", ["../x-a1", "0123456789ab-x", "0123456789ab-x-a0", "0123456789ab-../x-a1", ""]
)
def test_what_is_no_attempt_key_is_refused(client: Client, key: str) -> None:
    with pytest.raises(BackendError):
        client.backend.stage(client.bundle("true"), key, TransferProgress())
