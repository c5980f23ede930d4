"""The wheel holds the library alone, and works in somebody else's folder."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

pytestmark = [pytest.mark.server, pytest.mark.timeout(240)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = Path(__file__).resolve().parents[2]
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=root, check=True
    )
    return next(folder.glob("*.whl"))


def test_the_wheel_holds_mantik_tasks_alone(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {name.partition("/")[0] for name in names if ".dist-info/" not in name} == {"mantik_tasks"}
    for data in ("mantik_tasks/py.typed", "mantik_tasks/config/compute-backend-config.schema.json"):
        assert data in names
    assert any(name.startswith("mantik_tasks/script/shell/") for name in names)


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter that knows the wheel, and of our environment the dependencies only."""
    venv = tmp_path_factory.mktemp("elsewhere") / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(venv / "bin" / "python")]
    subprocess.run([*pip, "install", "--no-index", "--no-deps", str(wheel)], check=True)
    return venv / "bin" / "python"


def run(python: Path, program: Path, home: Path) -> str:
    environment = {
        # The jobs' python is the one with MLflow: they inherit PATH, and no PYTHONPATH.
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "HOME": str(home),
        # A folder on PYTHONPATH, unlike one of the interpreter's own, has no .pth files, so the
        # checkout stays out of reach.
        "PYTHONPATH": sysconfig.get_path("purelib"),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
    }
    done = subprocess.run(
        [python, program],
        cwd=program.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-5000:]
    return done.stdout


def test_the_six_tasks_run_in_a_flow_of_another_folder(python: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "MLproject").write_text("entry_points: {main: {command: 'echo hello > out.txt'}}\n")
    (project / "compute-backend-config.yaml").write_text("Local: {}\n")
    program = tmp_path / "program.py"
    program.write_text(
        dedent(
            """
            import asyncio
            from pathlib import Path

            import mantik_tasks
            from mantik_tasks import (
                LocalConnection, RunResult, build_command, fetch_artifacts, poll_job, run_project,
                stage_files, submit_job, validate_config,
            )
            from prefect import flow

            assert "elsewhere" in mantik_tasks.__file__, mantik_tasks.__file__


            @flow
            async def step_by_step() -> RunResult:
                source = LocalConnection(base_directory="site")
                spec = await validate_config("project", source=source)
                script = await build_command(spec)
                directory = await stage_files(spec, script, source)
                handle = await submit_job(directory, source)
                status = await poll_job(handle, source)
                assert status.state.is_final
                return await fetch_artifacts(handle, source, ["out.txt"], target="results")


            @flow
            async def at_once() -> RunResult:
                return await run_project("project", source=LocalConnection(base_directory="site"))


            for run in (step_by_step, at_once):
                result = asyncio.run(run())
                print(run.name, result.status.state)
            print(Path("results/out.txt").read_text())
            """
        )
    )
    shown = run(python, program, tmp_path / "home")
    assert "step-by-step SUCCEEDED" in shown
    assert "at-once SUCCEEDED" in shown
    assert "hello" in shown


def test_the_program_of_the_docs_runs_as_it_stands(python: Path, tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    page = (root / "docs" / "python-api.md").read_text()
    program = tmp_path / "program.py"
    program.write_text(page.partition("```python\n")[2].partition("```")[0])
    (tmp_path / "examples").symlink_to(root / "examples")
    shown = run(python, program, tmp_path / "home")
    assert "SUCCEEDED" in shown
    assert "accuracy" in shown
