"""The sites that the contract is tested on, and what a client of a site does.

To test another backend, add a class like `LocalSite` to `SITES`; the tests stay as they are.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import JsonValue, SecretStr

from mantik_tasks.backends.base import (
    Backend,
    BackendSource,
    Bundle,
    BundleFile,
    JobHandle,
    JobRequest,
    JobState,
    JobStatus,
    RunDirectory,
    TransferProgress,
)
from mantik_tasks.backends.local.connection import LocalConnection
from mantik_tasks.config.models import ComputeBackendConfig
from mantik_tasks.keys import attempt_key
from mantik_tasks.models import Intent, Project, RunSpec
from mantik_tasks.script.render import render

ROOT = Path(__file__).resolve().parents[2]
WAIT_SECONDS = 30.0


class Site(ABC):
    """A site to test a backend on.

    Attributes:
        config: The keys of a Compute Backend Config that lead to it.
        client_source: Python that makes `connection`, the same as `connection()`, in another process.
        limit: How many jobs it runs at once.
    """

    config: Mapping[str, JsonValue]
    client_source: str
    limit: int

    @abstractmethod
    def connection(self) -> BackendSource:
        """Return what leads to the site."""

    @abstractmethod
    def broken_connection(self) -> BackendSource:
        """Return what leads to a site that can't be asked."""

    @abstractmethod
    def read(self, path: str) -> bytes | None:
        """Return a file of the site, if it is there."""

    @abstractmethod
    def write(self, path: str, content: bytes) -> None:
        """Write a file on the site."""

    @abstractmethod
    def delete(self, path: str) -> None:
        """Delete a file of the site."""

    @abstractmethod
    def files(self, folder: str) -> list[str]:
        """Return the paths of all files below a folder of the site."""

    @abstractmethod
    def link(self, path: str, leads_to: str) -> None:
        """Make a symbolic link on the site."""

    @abstractmethod
    def mode(self, path: str) -> int:
        """Return the permission bits of a file of the site."""


class LocalSite(Site):
    """Processes on this host."""

    limit = 3
    config: Mapping[str, JsonValue] = {"Local": {}}

    def __init__(self, folder: Path) -> None:
        self._base = folder / "site"
        self._broken = folder / "broken"
        # Not even root can read below it.
        self._broken.write_text("no folder")
        self.client_source = (
            "from mantik_tasks.backends.local.connection import LocalConnection\n"
            f"base_directory = {str(self._base)!r}\n"
            f"connection = LocalConnection(base_directory=base_directory, max_concurrent_jobs={self.limit})\n"
        )

    def connection(self) -> LocalConnection:
        return LocalConnection(base_directory=str(self._base), max_concurrent_jobs=self.limit)

    def broken_connection(self) -> LocalConnection:
        return LocalConnection(base_directory=str(self._broken), max_concurrent_jobs=self.limit)

    def read(self, path: str) -> bytes | None:
        return Path(path).read_bytes() if Path(path).is_file() else None

    def write(self, path: str, content: bytes) -> None:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)

    def delete(self, path: str) -> None:
        Path(path).unlink()

    def files(self, folder: str) -> list[str]:
        return [str(path) for path in Path(folder).rglob("*") if path.is_file()]

    def link(self, path: str, leads_to: str) -> None:
        Path(path).symlink_to(leads_to)

    def mode(self, path: str) -> int:
        return Path(path).stat().st_mode & 0o777


SITES: dict[str, Callable[[Path], Site]] = {"local": LocalSite}


class Client:
    """What a client does with a site, in as few words as a test needs.

    Attributes:
        backend: The backend.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.backend: Backend = site.connection().connect()
        self._numbers = itertools.count(1)
        self._submitted: list[JobHandle] = []

    def key(self, run: str | None = None, attempt: int = 1) -> str:
        """Return the key of an attempt of a new run, or of the one that is named."""
        return attempt_key(f"0123456789ab-{run or f'test-{next(self._numbers)}'}", attempt)

    def bundle(self, command: str, files: Mapping[str, bytes] | None = None, **config: JsonValue) -> Bundle:
        """Return the bundle of a run: a shell command, its files, more keys of the config."""
        spec = RunSpec(
            project=Project(source="test", directory="/test", name="test"),
            entry_point="main",
            command=command,
            config=ComputeBackendConfig.model_validate({**self.site.config, **config}),
            config_source="compute-backend-config.yaml",
        )
        return Bundle(
            Intent(created_at=datetime.now(UTC), spec=spec, script=render(spec)),
            tuple(bundle_file(path, content) for path, content in (files or {}).items()),
        )

    def stage(
        self,
        command: str = "true",
        files: Mapping[str, bytes] | None = None,
        *,
        key: str | None = None,
        **config: JsonValue,
    ) -> RunDirectory:
        """Stage a run."""
        return self.backend.stage(
            self.bundle(command, files, **config), key or self.key(), TransferProgress()
        )

    def submit(self, run_directory: RunDirectory, environment: Mapping[str, str] | None = None) -> JobHandle:
        """Submit a staged run."""
        secrets = {name: SecretStr(value) for name, value in (environment or {}).items()}
        handle = self.backend.submit(JobRequest(environment=secrets), run_directory)
        self._submitted.append(handle)
        return handle

    def start(self, command: str, *, key: str | None = None, **config: JsonValue) -> JobHandle:
        """Stage and submit a run."""
        return self.submit(self.stage(command, None, key=key, **config))

    def status(self, handle: JobHandle) -> JobStatus:
        """Return a job's status."""
        return self.backend.statuses([handle])[handle]

    def wait(self, handle: JobHandle, state: JobState | None = None) -> JobStatus:
        """Wait until a job has ended, or is in a state."""
        status = self.status(handle)
        deadline = time.monotonic() + WAIT_SECONDS
        while status.state is not state and not status.state.is_final:
            assert time.monotonic() < deadline, f"still {status}"
            time.sleep(0.02)
            status = self.status(handle)
        assert state is None or status.state is state, f"{status}\n{self.read(handle, 'mantik.log')!r}"
        return status

    def read(self, run_directory: RunDirectory, path: str) -> bytes | None:
        """Return a file of a run directory, if it is there."""
        return self.site.read(f"{run_directory.path}/{path}")

    def write(self, run_directory: RunDirectory, path: str, content: bytes) -> None:
        """Write a file into a run directory."""
        self.site.write(f"{run_directory.path}/{path}", content)

    def delete(self, run_directory: RunDirectory, path: str) -> None:
        """Delete a file of a run directory."""
        self.site.delete(f"{run_directory.path}/{path}")

    def files_with(self, run_directory: RunDirectory, text: bytes) -> list[str]:
        """Return the paths of all files of a run directory that hold a text."""
        return [path for path in self.site.files(run_directory.path) if text in (self.site.read(path) or b"")]

    def wait_for_file(self, run_directory: RunDirectory, path: str) -> bytes:
        """Wait until a job has written something into a file of its run directory."""
        deadline = time.monotonic() + WAIT_SECONDS
        while not (content := self.read(run_directory, path)):
            assert time.monotonic() < deadline, f"no {path}"
            time.sleep(0.02)
        return content

    def fetch(self, handle: JobHandle, target: Path, *patterns: str) -> tuple[str, ...]:
        """Fetch files."""
        return self.backend.fetch(handle, patterns, target, TransferProgress())

    def other_process(self, source: str, *arguments: str) -> subprocess.Popen[str]:
        """Run Python in another process, where `backend` and `arguments` are at hand."""
        program = (
            "import os, sys\n"
            "from mantik_tasks.backends.base import *\n"
            f"{self.site.client_source}"
            "backend, arguments = connection.connect(), sys.argv[1:]\n"
            f"{source}"
        )
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def end_all(self) -> None:
        """Cancel what a test has left, so that no job outlives it."""
        alive = (JobState.QUEUED, JobState.RUNNING)
        self.backend.cancel([handle for handle in self._submitted if self.status(handle).state in alive])


def bundle_file(path: str, content: bytes, mode: int = 0o644) -> BundleFile:
    """Return a file to stage, with its size and digest."""
    return BundleFile(
        path, lambda: io.BytesIO(content), mode, len(content), hashlib.sha256(content).hexdigest()
    )


@pytest.fixture
def make_site(tmp_path: Path) -> Callable[[str], Site]:
    """Return a site by the name of its backend."""
    return lambda name: SITES[name](tmp_path)


@pytest.fixture(params=SITES)
def site(request: pytest.FixtureRequest, make_site: Callable[[str], Site]) -> Site:
    """Each site in turn."""
    return make_site(request.param)


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    """A client of the site."""
    client = Client(site)
    yield client
    client.end_all()


@pytest.fixture
def odd_names() -> list[str]:
    """File names that are hard to carry: any byte but NUL and `/` can be in one."""
    return [
        "with space.txt",
        "-rf",
        "line\nbreak",
        "quote'\"`$(touch pwned)",
        "*?[a]\\",
        "ünïcode-😀",
        os.fsdecode(b"latin-\xe9"),
        "~",
        "#hash",
        "!bang",
        "\x01\x7f",
        "n" * 255,
        "deep/er/est/file",
    ]
