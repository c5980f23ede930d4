"""A run directory on a make-believe compute node, with stand-ins for what a site offers.

The stand-ins record their arguments, environment and working directory, each call in a folder.
`srun` and `apptainer` then run what they are given; `probe` is the user's program.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mantik_tasks.config.models import ComputeBackendConfig
from mantik_tasks.models import Project, RunSpec
from mantik_tasks.script.render import render

STAND_IN = r"""#!/bin/bash
name=${0##*/}
folder=$(mktemp -d "$RECORDS/$(date +%s.%N)-$name-XXXXXX")
(($#)) && printf '%s\0' "$@" >"$folder/argv"
tr '\0' '\0' </proc/$$/environ >"$folder/environment"
pwd >"$folder/directory"
case $name in
srun) while [[ $1 == -* ]]; do shift; done; exec "$@" ;;
apptainer) while [[ $1 != *.sif ]]; do shift; done; shift; exec "$@" ;;
module) [[ " $* " != *' broken '* ]] || { echo 'no module broken'; exit 1; } ;;
esac
"""
NAMES = ("srun", "apptainer", "module", "probe")


@dataclass(frozen=True)
class Call:
    """One call of a stand-in."""

    name: str
    argv: tuple[str, ...]
    environment: dict[str, str]
    directory: str


@dataclass
class Node:
    """A compute node with one run directory."""

    root: Path

    def __post_init__(self) -> None:
        # A space in the path finds what is not quoted.
        self.run_directory = self.root / "run directory"
        self.private = self.run_directory / ".mantik"
        self.log_file = self.run_directory / "mantik.log"
        self.result_file = self.private / "result.json"
        self._records = self.root / "records"
        self._bin = self.root / "bin"
        self.home = self.root / "home"
        for folder in (self.private, self._records, self._bin, self.home):
            folder.mkdir(parents=True)
        self.install("stand-in", STAND_IN)
        for name in NAMES:
            (self._bin / name).symlink_to("stand-in")
        # Login shells set PATH anew, and a profile may leave the run directory.
        (self.home / ".profile").write_text(f"PATH='{self._bin}:/usr/bin:/bin'\ncd\n")

    def install(self, name: str, text: str) -> None:
        """Put a program on the PATH of the node."""
        program = self._bin / name
        program.unlink(missing_ok=True)
        program.write_text(text)
        program.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        """Return the environment in which a scheduler starts a job."""
        return {
            "PATH": f"{self._bin}:/usr/bin:/bin",
            "HOME": str(self.home),
            "LANG": "C.UTF-8",
            "RECORDS": str(self._records),
            "MANTIK_JOB_ID": "job-1",
            "MANTIK_WORKING_DIRECTORY": str(self.run_directory),
            **more,
        }

    def start(
        self, text: str, environment: Mapping[str, str] | None = None, directory: Path | None = None
    ) -> subprocess.Popen[str]:
        """Start a script as a scheduler does: from a copy of its own, by its first line."""
        script = self.root / "spool"
        if not script.exists() or script.read_text() != text:
            script.write_text(text)
            script.chmod(0o755)
        return subprocess.Popen(
            [script],
            cwd=directory or self.run_directory,
            env=self.environment() if environment is None else dict(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self, text: str, environment: Mapping[str, str] | None = None, directory: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a script to its end."""
        process = self.start(text, environment, directory)
        try:
            output, errors = process.communicate(timeout=30)
        finally:
            # What the script left behind is still in its process group.
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        return subprocess.CompletedProcess([], process.returncode, output, errors)

    @property
    def log(self) -> str:
        """What is in mantik.log."""
        return self.log_file.read_text()

    @property
    def result(self) -> dict[str, Any]:
        """What is in the result file."""
        result: dict[str, Any] = json.loads(self.result_file.read_text())
        return result

    def calls(self, name: str | None = None) -> list[Call]:
        """Return the calls of the stand-ins in their order."""
        found = []
        for folder in sorted(self._records.iterdir()):
            called = folder.name.split("-")[1]
            if name in (None, called):
                variables = (pair.partition("=") for pair in _records(folder / "environment"))
                environment = {key: value for key, _, value in variables}
                directory = (folder / "directory").read_text().rstrip("\n")
                found.append(Call(called, tuple(_records(folder / "argv")), environment, directory))
        return found

    def forget(self) -> None:
        """Make the run directory and the records as new."""
        for folder in (self._records, self.run_directory):
            subprocess.run(["rm", "-rf", folder], check=True)
        for folder in (self._records, self.private):
            folder.mkdir(parents=True)


def _records(path: Path) -> list[str]:
    return path.read_bytes().decode().split("\0")[:-1] if path.exists() else []


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path)


@pytest.fixture(scope="session")
def make_spec() -> Callable[..., RunSpec]:
    """Return a function that makes a spec from a command and the keys of a config."""

    def make(command: str = "probe", backend: dict[str, Any] | None = None, **sections: Any) -> RunSpec:
        keys = {**(backend or {"Local": {}}), **sections}
        return RunSpec(
            project=Project(source=".", directory="/projects/demo", name="demo"),
            entry_point="main",
            command=command,
            config=ComputeBackendConfig.model_validate(keys),
            config_source="compute-backend-config.yaml",
        )

    return make


@pytest.fixture(scope="session")
def job(make_spec: Callable[..., RunSpec]) -> Callable[..., str]:
    """Return a function that renders the job script of a local run."""

    def text(command: str = "probe", backend: dict[str, Any] | None = None, **environment: Any) -> str:
        return render(make_spec(command, backend, Environment=environment)).job

    return text


@pytest.fixture(scope="session")
def wait_for() -> Callable[[Callable[[], object]], None]:
    """Return a function that polls until a condition holds."""

    def wait(condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < deadline, "it never happened"
            time.sleep(0.02)

    return wait
