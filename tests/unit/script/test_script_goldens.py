"""Whole texts for typical runs, to be read by a person when they change.

To write them anew: UPDATE_GOLDENS=1 pytest tests/unit/script/test_script_goldens.py
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mantik_tasks.models import RunSpec
from mantik_tasks.script.render import render

GOLDENS = Path(__file__).parents[2] / "data" / "scripts"
TRAIN = "python train.py --alpha 0.5 --name 'a b'"
SSH = {"SSH": {"Hostname": "login.example.org"}}

RUNS: dict[str, tuple[str, dict[str, Any]]] = {
    "local-plain": (TRAIN, {"Local": {}}),
    "local-venv": (
        f"{TRAIN} && echo done",
        {
            "Local": {},
            "Environment": {
                "Python": "$HOME/venvs/torch 2",
                "Variables": {"DATA": "$HOME/data sets", "GREETING": "it's\ntwo lines"},
                "PostRunCommandOnComputeNode": ["du -sh .", "ls -l\ntrue"],
            },
        },
    ),
    "slurm-apptainer": (
        TRAIN,
        SSH
        | {
            "Account": "hpc-project",
            "Resources": {
                "Queue": "gpu",
                "Runtime": "1d2h3m4s",
                "Nodes": 2,
                "TasksPerNode": 4,
                "CPUsPerNode": 48,
                "TotalCPUs": 8,
                "GPUsPerNode": 4,
                "MemoryPerNode": "10G",
                "Reservation": "course 2025",
                "NodeConstraints": "a100&nvme",
                "QoS": "normal",
                "Exclusive": True,
                "ExtraOptions": ["--requeue", '--comment=it\'s "mine"'],
            },
            "Environment": {
                "Apptainer": {"Path": "images/torch.sif", "Options": ["--nv", "-B $SCRATCH/in:/in"]},
                "Modules": ["Stages/2025", "CUDA"],
                "Variables": {"OMP_NUM_THREADS": "12", "HOSTS": "$(scontrol show hostnames)"},
                "PreRunCommandOnLoginNode": ["cd $HOME/data\ngit pull\ncd $UC_WORKING_DIRECTORY"],
                "PreRunCommandOnComputeNode": ["nvidia-smi", "ulimit -n 4096"],
                "PostRunCommandOnComputeNode": "rm -rf cache",
                "PostRunCommandOnLoginNode": ["cp -r results $HOME", "date > done"],
            },
        },
    ),
    "slurm-venv": (
        TRAIN,
        SSH
        | {
            "Resources": {"Queue": "batch", "Runtime": "30m", "CPUsPerNode": 48},
            "Environment": {"Python": "/p/venv", "Launcher": "srun"},
        },
    ),
    "unicore": (
        TRAIN,
        {
            "UnicoreApiUrl": "https://unicore.example.org/SITE/rest/core",
            "Account": "hpc-project",
            "Resources": {
                "Queue": "batch",
                "Runtime": "12h",
                "Nodes": 2,
                "CPUsPerNode": 48,
                "GPUsPerNode": 4,
                "MemoryPerNode": "10G",
                "QoS": "normal",
                "Exclusive": True,
            },
            "Environment": {
                "Apptainer": {"Type": "remote", "Path": "$PROJECT/torch.sif"},
                "Launcher": "srun",
                "Modules": "Apptainer",
                "Variables": {"DATA": "$HOME/data"},
                "PreRunCommandOnLoginNode": ["git -C $DATA pull", "echo it's here"],
                "PostRunCommandOnLoginNode": "cp out.txt $HOME",
            },
        },
    ),
}
PARTS = {
    "job": "sh",
    "login_pre_run": "login-pre-run.sh",
    "login_post_run": "login-post-run.sh",
    "job_description": "json",
}


@pytest.mark.parametrize("name", RUNS)
def test_text_is_the_one_that_was_read(name: str, make_spec: Callable[..., RunSpec]) -> None:
    command, config = RUNS[name]
    script = render(make_spec(command, config))
    for part, suffix in PARTS.items():
        golden = GOLDENS / f"{name}.{suffix}"
        text = getattr(script, part)
        if os.environ.get("UPDATE_GOLDENS"):
            golden.unlink(missing_ok=True)
            if text is not None:
                golden.write_text(text)
        assert text == (golden.read_text() if golden.exists() else None), f"{golden.name} differs"


def test_every_golden_belongs_to_a_run() -> None:
    expected = {f"{name}.{suffix}" for name in RUNS for suffix in PARTS.values()}
    assert {golden.name for golden in GOLDENS.iterdir()} <= expected


@pytest.mark.parametrize("golden", sorted(GOLDENS.glob("*.sh")), ids=lambda golden: golden.name)
def test_bash_can_parse_it(golden: Path) -> None:
    checked = subprocess.run(["bash", "-n", golden], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_same_run_gives_the_same_text(make_spec: Callable[..., RunSpec]) -> None:
    command, config = RUNS["slurm-apptainer"]
    assert render(make_spec(command, config)) == render(make_spec(command, config))
