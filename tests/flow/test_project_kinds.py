"""Projects in the shapes that people give them, run as real jobs."""

from __future__ import annotations

import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from prefect import flow

from mantik_tasks import LocalConnection, RunResult, run_project

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]

Project = Callable[[str], Path]


@flow
async def one_run(project: str, **options: Any) -> RunResult:
    return await run_project(project, **options)


def log_of(result: RunResult) -> str:
    return Path(result.location, "mantik.log").read_text()


@pytest.fixture
def site_venv(tmp_path: Path) -> Path:
    """A virtual environment on the site."""
    folder = tmp_path / "my venv"
    venv.create(folder, with_pip=False)
    return folder


async def test_a_package_with_a_console_script_in_a_venv_of_the_site(
    project: Project, site: LocalConnection, site_venv: Path, tmp_path: Path
) -> None:
    folder = project("package")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path], cwd=folder, check=True
    )
    wheel = next(tmp_path.glob("*.whl"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(site_venv / "bin" / "python")]
    subprocess.run([*pip, "install", "--no-index", "--no-deps", str(wheel)], check=True)
    config = {"Local": {}, "Environment": {"Python": {"Path": str(site_venv)}}}
    result = await one_run(str(folder), parameters={"low": "1.5"}, config=config, source=site)
    assert "mean 2.5" in log_of(result)


async def test_a_module(project: Project, site: LocalConnection) -> None:
    result = await one_run(str(project("module")), parameters={"greeting": "grüß' dich"}, source=site)
    assert "grüß' dich from a module" in log_of(result)


async def test_an_entry_point_without_parameters(project: Project, site: LocalConnection) -> None:
    result = await one_run(str(project("echo")), entry_point="nothing", source=site)
    assert "arguments []" in log_of(result)


async def test_a_script_that_is_no_entry(project: Project, site: LocalConnection) -> None:
    result = await one_run(str(project("echo")), entry_point="echo.py", parameters={"x": "1 2"}, source=site)
    assert "arguments ['--x', '1 2']" in log_of(result)


async def test_a_project_from_git(
    project: Project, site: LocalConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    repository = project("echo").parent
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        identity = ["-c", "user.name=T", "-c", "user.email=t@example.org"]
        subprocess.run(["git", *identity, *command], cwd=repository, check=True)
    result = await one_run(f"file://{repository}#echo", entry_point="nothing", source=site)
    assert "arguments []" in log_of(result)


async def test_names_of_every_kind_travel(project: Project, site: LocalConnection) -> None:
    folder = project("echo")
    for name in ("two words", "new\nline", "-dash", "ünïcode", "quo'te\"", "$HOME"):
        (folder / name).write_text("x")
    result = await one_run(str(folder), entry_point="read", parameters={"data": "."}, source=site)
    assert "new\\nline" in log_of(result)
    assert "-dash" in log_of(result)
