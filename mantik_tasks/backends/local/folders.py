"""The run directories of this host: which folder belongs to which attempt."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mantik_tasks.backends.base import PRIVATE_FOLDER, JobHandle, RunDirectory
from mantik_tasks.backends.local import layout
from mantik_tasks.backends.local.records import JobRecord
from mantik_tasks.config.models import BackendKind
from mantik_tasks.errors import BackendError, JobNotFound, Unreachable
from mantik_tasks.keys import attempt_key, split_attempt_key
from mantik_tasks.models import Intent


@dataclass(frozen=True)
class RunFolders:
    """All run directories below one base directory.

    Attributes:
        site: User and host.
        base: Absolute path of the base directory.
    """

    site: str
    base: Path

    @property
    def runs(self) -> Path:
        """The folder that holds them."""
        return self.base / layout.RUNS_FOLDER

    @property
    def slots(self) -> Path:
        """The folder of the locks that limit how many jobs run at once."""
        return self.runs / layout.SLOTS_FOLDER

    def path(self, key: str) -> Path:
        """Return where the run directory of an attempt is.

        Raises:
            BackendError: If the key is none.
        """
        try:
            split_attempt_key(key)
        except ValueError as error:
            raise BackendError(str(error)) from error
        return self.runs / key

    def own_path(self, run_directory: RunDirectory) -> Path:
        """Return the path of a run directory, after making sure that it is one of these.

        Raises:
            BackendError: If it is somewhere else, or a link.
        """
        path = self.path(run_directory.key)
        if str(path) != run_directory.path or path.is_symlink():
            raise BackendError(
                f"{run_directory.path} is not a run directory below {self.runs} on {self.site}"
            )
        return path

    def existing_path(self, run_directory: RunDirectory) -> Path:
        """Return the path of a run directory that is there.

        Raises:
            JobNotFound: If it is not.
        """
        path = self.own_path(run_directory)
        if not (path / PRIVATE_FOLDER).is_dir():
            raise JobNotFound(f"{path} on {self.site} does not exist, or is no run directory")
        return path

    def create(self, key: str) -> Path:
        """Make the run directory of an attempt, if it is not there yet."""
        path = self.path(key)
        self.base.mkdir(parents=True, exist_ok=True)
        for folder in (self.runs, self.slots, path, path / PRIVATE_FOLDER):
            folder.mkdir(mode=0o700, exist_ok=True)
            if folder.is_symlink():
                raise BackendError(f"{folder} is a symbolic link; remove it")
        return path

    def attempts(self, run_key: str) -> list[tuple[int, Path]]:
        """Return number and folder of each attempt of a run."""
        try:
            names = [path.name for path in self.runs.iterdir()]
        except FileNotFoundError:
            return []
        found = []
        for name in names:
            number = name.removeprefix(f"{run_key}-a")
            if number.isdigit() and name == attempt_key(run_key, int(number)):
                found.append((int(number), self.runs / name))
        return sorted(found)

    def require(self) -> None:
        """Make sure that run directories can be seen; else a missing one would mean nothing.

        Raises:
            OSError: If they can't.
        """
        os.stat(f"{self.runs}/.")  # noqa: PTH116 - a Path drops the dot, which needs the right to enter

    def locate(self, key: str) -> RunDirectory:
        """Return the run directory of an attempt."""
        return RunDirectory(backend=BackendKind.LOCAL, site=self.site, path=str(self.path(key)), key=key)

    def handle(self, key: str, record: JobRecord) -> JobHandle:
        """Return the handle of an attempt's job, from the job's record."""
        return JobHandle(**dict(self.locate(key)), job_id=record.job_id)


def read_intent(path: Path) -> Intent | None:
    """Return the intent in a run directory, if there is one.

    Raises:
        BackendError: If it can't be understood.
    """
    content = layout.read_file(path / layout.INTENT)
    try:
        return None if content is None else Intent.model_validate_json(content)
    except ValueError as error:
        raise BackendError(
            f"{path / layout.INTENT} was written by another version of this program, or changed: {error}"
        ) from error


@contextlib.contextmanager
def reading(what: str, error_class: type[BackendError] = Unreachable) -> Iterator[None]:
    """Translate what goes wrong with files into our errors, so that it never counts as an answer."""
    try:
        yield
    except TimeoutError as error:
        raise Unreachable(
            f"{what}: another process is at work on the same attempt; try again later"
        ) from error
    except OSError as error:
        raise error_class(f"{what}: {error}") from error
