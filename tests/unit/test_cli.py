"""The `mantik-tasks` command."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mantik_tasks.cli import main

Project = Callable[[str], Path]
Captured = pytest.CaptureFixture[str]


def test_a_project_that_can_run(project: Project, capsys: Captured) -> None:
    assert main(["validate", str(project("echo")), "-P", "first=3.10"]) == 0
    assert capsys.readouterr().out == "echo: entry point main can run on local\n"


def test_every_problem_is_on_a_line_of_its_own(project: Project, capsys: Captured) -> None:
    folder = project("echo")
    (folder / "compute-backend-config.yaml").write_text("Local: {}\nResources:\n  Runtme: 1h\n  Nodes: 0\n")
    assert main(["validate", str(folder), "-P", "nonsense=1"]) == 2
    shown = capsys.readouterr()
    lines = shown.err.splitlines()
    assert shown.out == ""
    assert any(line.startswith("compute-backend-config.yaml:3:") and "Runtime" in line for line in lines)
    assert any(line.startswith("compute-backend-config.yaml:4:") for line in lines)
    assert any("'nonsense'" in line for line in lines)
    assert any("required parameters first" in line for line in lines)


def test_values_are_text(project: Project, capsys: Captured) -> None:
    assert main(["render", str(project("echo")), "-P", "first=3.10", "-P", "second=a=b c"]) == 0
    assert "python echo.py 3.10 " in capsys.readouterr().out


@pytest.mark.parametrize("value", ["first", "=x", "first=1\nfirst=2"])
def test_values_that_are_none(project: Project, capsys: Captured, value: str) -> None:
    options = [part for item in value.split("\n") for part in ("-P", item)]
    assert main(["validate", str(project("echo")), *options]) == 2
    assert "-P" in capsys.readouterr().err


def test_render_prints_the_script_and_nothing_else(project: Project, capsys: Captured) -> None:
    assert main(["render", str(project("echo")), "-P", "first=x"]) == 0
    script = capsys.readouterr().out
    assert script.startswith("#!/bin/bash")
    subprocess.run(["bash", "-n"], input=script, text=True, check=True)


def test_render_hides_secrets(project: Project, capsys: Captured) -> None:
    folder = project("echo")
    (folder / "c.yaml").write_text(
        "Local: {}\nEnvironment: {Variables: {WANDB_API_KEY: hunter2, SHOWN: shown}}\n"
    )
    assert main(["render", str(folder), "--backend-config", "c.yaml", "-P", "first=x"]) == 0
    shown = capsys.readouterr()
    assert "hunter2" not in shown.out + shown.err
    assert "********" in shown.out
    assert "shown" in shown.out
    assert "WANDB_API_KEY" in shown.err


def test_render_prints_unicore_s_job_description(project: Project, capsys: Captured) -> None:
    folder = project("echo")
    (folder / "c.yaml").write_text(
        "UnicoreApiUrl: https://h.example.org/SITE/rest/core\nAccount: a\n"
        "Resources: {Queue: batch, Runtime: 1h, Nodes: 2}\n"
    )
    assert main(["render", str(folder), "--backend-config", "c.yaml", "-P", "first=x"]) == 0
    description = json.loads(capsys.readouterr().out)
    assert description["Resources"]["Queue"] == "batch"
    assert description["Project"] == "a"


def test_a_config_of_this_folder_may_be_named(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project("echo")
    monkeypatch.chdir(tmp_path)
    Path("mine.yaml").write_text("Local: {}\n")
    assert main(["validate", str(folder), "--backend-config", "mine.yaml", "-P", "first=x"]) == 0


def test_the_schema_is_printed(capsys: Captured) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert "Resources" in schema["properties"]


def test_the_command_needs_no_prefect() -> None:
    program = "import sys, mantik_tasks.cli as c; c.main(['schema']); print('prefect' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "False"
