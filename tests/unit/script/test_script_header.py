"""Slurm's options, as sbatch reads them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mantik_tasks.config.models import Resources
from mantik_tasks.errors import ConfigError
from mantik_tasks.models import RunSpec
from mantik_tasks.script.layout import TaskLayout, task_layout
from mantik_tasks.script.render import render

MakeSpec = Callable[..., RunSpec]
SLURM: dict[str, Any] = {"Slurm": {}}
ALWAYS = ["--no-requeue", "--output=slurm-%j.out", "--open-mode=append"]


def words_of(line: str) -> list[str]:
    """Split an #SBATCH line by sbatch's rules: both quotes, a backslash everywhere, # ends the line."""
    words: list[str] = []
    word, quote, escaped = "", "", False
    for character in line.removeprefix("#SBATCH") + " ":
        if escaped:
            word, escaped = word + character, False
        elif character == "\\":
            escaped = True
        elif quote:
            word, quote = (word, "") if character == quote else (word + character, quote)
        elif character in "\"'":
            quote = character
        elif character == "#":
            break
        elif character.isspace():
            words, word = [*words, word] if word else words, ""
        else:
            word += character
    assert not quote
    return words


def options(spec: RunSpec) -> list[str]:
    """Return the options of a job script, each directive being one option."""
    found = []
    for line in render(spec).job.splitlines()[1:]:
        if line.startswith("#SBATCH"):
            [word] = words_of(line)
            found.append(word)
    return found


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({}, []),
        ({"Queue": "gpu"}, ["--partition=gpu"]),
        ({"Runtime": "90s"}, ["--time=0-00:01:30"]),
        ({"Runtime": "50h"}, ["--time=2-02:00:00"]),
        ({"Nodes": 2, "TotalCPUs": 8}, ["--nodes=2", "--ntasks=8"]),
        ({"CPUsPerNode": 48}, ["--ntasks-per-node=1", "--cpus-per-task=48"]),
        ({"GPUsPerNode": 4}, ["--gpus-per-node=4"]),
        ({"GPUsPerNode": 0}, []),
        ({"MemoryPerNode": "10G"}, ["--mem=10240M"]),
        ({"NodeConstraints": "a&b|[c*2]"}, ["--constraint=a&b|[c*2]"]),
        ({"Reservation": "a b"}, ["--reservation=a b"]),
        ({"QoS": "normal"}, ["--qos=normal"]),
        ({"Exclusive": True}, ["--exclusive"]),
        ({"Exclusive": False}, []),
    ],
)
def test_resources_become_options(make_spec: MakeSpec, keys: dict[str, Any], expected: list[str]) -> None:
    assert options(make_spec(backend=SLURM, Resources=keys)) == [*expected, *ALWAYS]


def test_account_becomes_an_option_on_every_slurm_backend(make_spec: MakeSpec) -> None:
    for backend in (SLURM, {"SSH": {"Hostname": "login.example.org"}}):
        assert options(make_spec(backend=backend, Account="budget"))[0] == "--account=budget"


def test_requeue_is_off_unless_asked_for(make_spec: MakeSpec) -> None:
    asked = options(make_spec(backend=SLURM, Resources={"ExtraOptions": "--requeue"}))
    assert asked == ["--requeue", *ALWAYS[1:]]


PRINTABLE = st.text(min_size=1, max_size=40).filter(lambda text: text.isprintable() and text.strip() != "")


@given(account=PRINTABLE, comment=PRINTABLE)
def test_no_value_can_add_an_option(make_spec: MakeSpec, account: str, comment: str) -> None:
    spec = make_spec(
        backend=SLURM, Account=account, Resources={"Queue": comment, "ExtraOptions": [f"--comment={comment}"]}
    )
    assert options(spec) == [
        f"--account={account}",
        f"--partition={comment}",
        "--no-requeue",
        f"--comment={comment}",
        *ALWAYS[1:],
    ]


def test_line_break_is_refused_even_if_validation_missed_it(make_spec: MakeSpec) -> None:
    spec = make_spec(backend=SLURM)
    resources = spec.config.resources.model_copy(update={"queue": "a\n#SBATCH --nodes=99"})
    config = spec.config.model_copy(update={"resources": resources})
    with pytest.raises(ConfigError, match="one line"):
        render(spec.model_copy(update={"config": config}))


@pytest.mark.parametrize("option", ["hetjob", "mail", "--array=0-9", "-a0-9", "-D /tmp", "--chdir=/", "-o x"])
def test_extra_option_that_breaks_the_run_is_refused(make_spec: MakeSpec, option: str) -> None:
    with pytest.raises(ConfigError, match=r"Resources\.ExtraOptions"):
        render(make_spec(backend=SLURM, Resources={"ExtraOptions": [option]}))


@pytest.mark.parametrize(
    ("keys", "tasks", "cpus"),
    [
        ({}, None, None),
        ({"TotalCPUs": 8}, None, None),
        ({"CPUsPerNode": 48}, 1, 48),
        ({"CPUsPerNode": 48, "Nodes": 2}, 1, 48),
        ({"TasksPerNode": 4}, 4, None),
        ({"TasksPerNode": 4, "CPUsPerNode": 48}, 4, 12),
        ({"TasksPerNode": 5, "CPUsPerNode": 48}, 5, 9),
        ({"TasksPerNode": 4, "CPUsPerTask": 3, "CPUsPerNode": 48}, 4, 3),
        ({"CPUsPerTask": 3}, None, 3),
        ({"CPUsPerTask": 12, "CPUsPerNode": 48}, 4, 12),
        ({"TotalCPUs": 2, "Nodes": 2, "CPUsPerNode": 48}, 1, 48),
        ({"TotalCPUs": 96, "Nodes": 2, "CPUsPerNode": 48}, 48, 1),
        ({"TotalCPUs": 96, "CPUsPerNode": 48}, 48, 1),
        ({"TotalCPUs": 4, "CPUsPerNode": 48}, 4, 12),
    ],
)
def test_cpu_keys_mean_tasks_and_cpus(keys: dict[str, int], tasks: int | None, cpus: int | None) -> None:
    assert task_layout(Resources.model_validate(keys)) == TaskLayout(tasks, cpus)


def test_other_backends_have_no_scheduler_options(make_spec: MakeSpec) -> None:
    backends: list[dict[str, Any]] = [
        {"Local": {}},
        {"UnicoreApiUrl": "https://unicore.example.org/rest/core"},
    ]
    for backend in backends:
        assert options(make_spec(backend=backend, Resources={"Queue": "q", "CPUsPerNode": 4})) == []
