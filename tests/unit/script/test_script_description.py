"""UNICORE's job description."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from typing import Any

import pytest

from mantik_tasks.errors import ConfigError
from mantik_tasks.models import RunSpec
from mantik_tasks.script.render import render

MakeSpec = Callable[..., RunSpec]
UNICORE = {"UnicoreApiUrl": "https://unicore.example.org/SITE/rest/core"}


def description(spec: RunSpec) -> dict[str, Any]:
    script = render(spec)
    assert (script.login_pre_run, script.login_post_run) == (None, None)
    assert script.job_description is not None
    found: dict[str, Any] = json.loads(script.job_description)
    return found


def test_job_runs_the_staged_script_and_waits_for_its_files(make_spec: MakeSpec) -> None:
    assert description(make_spec(backend=UNICORE)) == {
        "Executable": "/bin/bash",
        "Arguments": ["-l", ".mantik/job.sh"],
        "haveClientStageIn": "true",
    }


def test_resources_have_unicores_names(make_spec: MakeSpec) -> None:
    resources = {
        "Queue": "batch",
        "Runtime": "12h",
        "Nodes": 2,
        "CPUsPerNode": 48,
        "TotalCPUs": 96,
        "GPUsPerNode": 4,
        "MemoryPerNode": "10G",
        "Reservation": "course",
        "NodeConstraints": "a100",
        "QoS": "normal",
        "Exclusive": True,
    }
    found = description(make_spec(backend=UNICORE, Account="budget", Resources=resources))
    assert found["Project"] == "budget"
    assert found["Resources"] == {
        "Queue": "batch",
        "Runtime": "43200",
        "Nodes": "2",
        "CPUsPerNode": "48",
        "TotalCPUs": "96",
        "GPUsPerNode": "4",
        "MemoryPerNode": "10240M",
        "Reservation": "course",
        "NodeConstraints": "a100",
        "QoS": "normal",
        "Exclusive": "true",
    }


def test_tasks_are_asked_for_as_cpus(make_spec: MakeSpec) -> None:
    spec = make_spec(backend=UNICORE, Resources={"TasksPerNode": 4, "CPUsPerTask": 12})
    assert description(spec)["Resources"] == {"CPUsPerNode": "48"}


@pytest.mark.parametrize(
    "resources", [{"Queue": "${1+1}"}, {"Reservation": "a${b}"}, {"ExtraOptions": "--mail-type=END"}]
)
def test_what_unicore_would_evaluate_or_ignore_is_refused(
    make_spec: MakeSpec, resources: dict[str, str]
) -> None:
    with pytest.raises(ConfigError, match="UNICORE"):
        render(make_spec(backend=UNICORE, Resources=resources))


@pytest.mark.parametrize("key", ["Pre", "Post"])
def test_login_commands_are_unicores_own_and_stop_at_a_failure(
    node: Any, make_spec: MakeSpec, key: str
) -> None:
    commands = ["probe 'a b' \"$VALUE\"", "exit 3\n", "probe"]
    spec = make_spec(
        backend=UNICORE,
        Environment={f"{key}RunCommandOnLoginNode": commands, "Variables": {"VALUE": "it's\n$HOME"}},
    )
    command = description(spec)[f"User {key.lower()}command"]
    # UNICORE puts the command among lines of its own, which must still run.
    done = subprocess.run(
        ["sh", "-c", f"{command}\necho code $?"],
        cwd=node.run_directory,
        env=node.environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "code 3\n"
    assert f'step "{key}RunCommandOnLoginNode 2" failed' in done.stderr
    assert [call.argv for call in node.calls()] == [("a b", f"it's\n{node.home}")]
