"""Old spellings: read, with a warning that shows the new one."""

from collections.abc import Callable
from typing import Any

import pytest

Load = Callable[..., Any]
Problems = Callable[..., tuple[str, ...]]


@pytest.mark.parametrize(
    ("old", "new", "warning"),
    [
        (
            "SingularityImage: a.sif",
            "Environment: {Apptainer: {Path: a.sif}}",
            "c.yaml:2: SingularityImage: is an old spelling: write Environment.Apptainer.Path",
        ),
        (
            "Environment: {Singularity: {Path: /a.sif, Type: remote}}",
            "Environment: {Apptainer: {Path: /a.sif, Type: remote}}",
            "c.yaml:2: Environment.Singularity: is an old spelling: write Environment.Apptainer",
        ),
        (
            "Resources: {CPUs: 4}",
            "Resources: {TotalCPUs: 4}",
            "c.yaml:2: Resources.CPUs: is an old spelling: write Resources.TotalCPUs",
        ),
        (
            "Resources: {Memory: 1G}",
            "Resources: {MemoryPerNode: 1G}",
            "c.yaml:2: Resources.Memory: is an old spelling: write Resources.MemoryPerNode",
        ),
        (
            "Environment: {PreRunCommand: {Command: ls}}",
            "Environment: {PreRunCommandOnComputeNode: ls}",
            "c.yaml:2: Environment.PreRunCommand: is an old spelling: "
            "write Environment.PreRunCommandOnComputeNode",
        ),
        (
            "Environment: {PostRunCommand: {Command: ls, ExecuteOnLoginNode: true}}",
            "Environment: {PostRunCommandOnLoginNode: ls}",
            "c.yaml:2: Environment.PostRunCommand: is an old spelling: "
            "write Environment.PostRunCommandOnLoginNode",
        ),
    ],
)
def test_an_old_spelling_means_the_new_one(load: Load, old: str, new: str, warning: str) -> None:
    loaded = load(f"Slurm: {{}}\n{old}")
    assert loaded.config == load(f"Slurm: {{}}\n{new}").config
    assert loaded.warnings == (warning,)


@pytest.mark.parametrize(
    "both",
    [
        "SingularityImage: a.sif\nEnvironment: {Apptainer: {Path: b.sif}}",
        "SingularityImage: a.sif\nEnvironment: {Singularity: {Path: b.sif}}",
        "Resources: {CPUs: 4, TotalCPUs: 4}",
        "Environment: {PreRunCommand: {Command: a}, PreRunCommandOnComputeNode: b}",
    ],
)
def test_the_old_and_the_new_spelling_together_are_an_error(problems_of: Problems, both: str) -> None:
    (problem,) = problems_of(f"Slurm: {{}}\n{both}")
    assert "keep one" in problem


def test_an_old_command_on_the_other_node_is_no_conflict(load: Load) -> None:
    environment = load(
        "Slurm:\nEnvironment: {PreRunCommand: {Command: a}, PreRunCommandOnLoginNode: b}"
    ).config.environment
    assert (environment.pre_run_on_compute_node, environment.pre_run_on_login_node) == (("a",), ("b",))


def test_a_block_may_use_old_spellings_under_the_files_new_ones(load: Load) -> None:
    loaded = load({"Slurm": {}, "Resources": {"TotalCPUs": 2}}, {"Resources": {"CPUs": 4}})
    assert loaded.config.resources.total_cpus == 2
    assert loaded.warnings == ("block juwels: Resources.CPUs: is an old spelling: write Resources.TotalCPUs",)


@pytest.mark.parametrize(
    "broken", ["Environment: x", "Resources: [CPUs]", "Environment: {PreRunCommand: {}}"]
)
def test_a_broken_section_is_reported_once(problems_of: Problems, broken: str) -> None:
    assert len(problems_of(f"Slurm:\n{broken}")) == 1


def test_an_old_image_beside_a_broken_environment_hides_nothing(problems_of: Problems) -> None:
    assert problems_of("Slurm:\nSingularityImage: a.sif\nEnvironment: x") == (
        "c.yaml:3: Environment: must be a mapping with keys such as Apptainer, Python, Modules",
    )
