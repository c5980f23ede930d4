"""A project's file over the keys that a block supplies."""

from collections.abc import Callable
from typing import Any

import pytest

Load = Callable[..., Any]
Problems = Callable[..., tuple[str, ...]]


def test_mappings_merge_key_by_key_and_the_file_wins(load: Load) -> None:
    config = load(
        {"Resources": {"Nodes": 2}, "Environment": {"Variables": {"A": "file", "B": "file"}}},
        {
            "Slurm": {},
            "Resources": {"Nodes": 1, "Queue": "q"},
            "Environment": {"Variables": {"A": "block", "C": "block"}},
        },
    ).config
    assert (config.resources.nodes, config.resources.queue) == (2, "q")
    assert config.environment.variables == {"A": "file", "B": "file", "C": "block"}


def test_a_list_of_the_file_replaces_the_blocks(load: Load) -> None:
    block = {"Slurm": {}, "Environment": {"Modules": ["a", "b"]}, "Exclude": ["x"]}
    config = load({"Environment": {"Modules": ["c"]}}, block).config
    assert config.environment.modules == ("c",)
    assert config.exclude == ("x",)


@pytest.mark.parametrize("image_or_venv", [{"Apptainer": {"Path": "a.sif"}}, {"Python": "/venv"}])
def test_the_files_image_or_venv_silences_the_blocks_other_one(
    load: Load, image_or_venv: dict[str, object]
) -> None:
    both = {"Apptainer": {"Path": "b.sif", "Options": "--nv"}, "Python": "/other"}
    block = {key: value for key, value in both.items() if key not in image_or_venv}
    environment = load({"Slurm": {}, "Environment": image_or_venv}, {"Environment": block}).config.environment
    assert (environment.apptainer is None) == ("Apptainer" not in image_or_venv)
    assert (environment.python is None) == ("Python" not in image_or_venv)


def test_the_same_section_merges_with_the_blocks(load: Load) -> None:
    block = {"Environment": {"Apptainer": {"Path": "b.sif", "Options": "--nv"}}}
    apptainer = load(
        {"Slurm": {}, "Environment": {"Apptainer": {"Path": "a.sif"}}}, block
    ).config.environment.apptainer
    assert (apptainer.path, apptainer.options) == ("a.sif", ("--nv",))


UNICORE = {"UnicoreApiUrl": "https://Site.example.org:443/A/rest/core/"}
SSH = {"SSH": {"Hostname": "Login.example.org", "Port": 2222}}
SSH_22 = {"SSH": {"Hostname": "login.example.org"}}
FIRECREST = {
    "Firecrest": {
        "ApiUrl": "https://f.example.org",
        "TokenUrl": "https://t.example.org/token",
        "Machine": "Daint",
    }
}
QUEUE = {"Resources": {"Queue": "q"}}


@pytest.mark.parametrize(
    ("file", "block"),
    [
        ({"UnicoreApiUrl": "https://site.example.org/A/rest/core"}, UNICORE),
        ({"SSH": {"Hostname": "LOGIN.example.org", "Port": 2222}}, SSH),
        ({"SSH": {"Hostname": "login.example.org"}}, SSH),
        ({"SSH": {"Port": "22"}}, SSH_22),
        ({"Firecrest": {"ApiUrl": "https://F.example.org/", "Machine": "daint"}}, FIRECREST),
        ({"Slurm": {}}, {"Slurm": None}),
        ({}, SSH),
    ],
)
def test_the_file_may_repeat_the_blocks_site(
    load: Load, file: dict[str, object], block: dict[str, object]
) -> None:
    assert load(file | QUEUE, block).warnings == ()


def test_the_blocks_port_holds_unless_the_file_names_one(load: Load) -> None:
    assert load({"SSH": {"Hostname": "login.example.org"}} | QUEUE, SSH).config.ssh.port == 2222


@pytest.mark.parametrize(
    ("file", "block", "key"),
    [
        ({"Slurm": {}}, SSH, "Slurm"),
        ({"Local": None}, SSH, "Local"),
        (SSH, UNICORE, "SSH"),
        ({"UnicoreApiUrl": "https://site.example.org/B/rest/core"}, UNICORE, "UnicoreApiUrl"),
        ({"UnicoreApiUrl": "http://site.example.org/A/rest/core"}, UNICORE, "UnicoreApiUrl"),
        ({"UnicoreApiUrl": "https://site.example.org:8080/A/rest/core"}, UNICORE, "UnicoreApiUrl"),
        ({"UnicoreApiUrl": "https://evil.example.org/A/rest/core"}, UNICORE, "UnicoreApiUrl"),
        ({"SSH": {"Hostname": "evil.example.org"}}, SSH, "SSH.Hostname"),
        ({"SSH": {"Port": 22}}, SSH, "SSH.Port"),
        ({"SSH": {"Port": 2222}}, SSH_22, "SSH.Port"),
        ({"Firecrest": {"ApiUrl": "https://evil.example.org"}}, FIRECREST, "Firecrest.ApiUrl"),
        ({"Firecrest": {"TokenUrl": "https://evil.example.org/token"}}, FIRECREST, "Firecrest.TokenUrl"),
        ({"Firecrest": {"Machine": "eiger"}}, FIRECREST, "Firecrest.Machine"),
    ],
)
def test_a_file_that_points_elsewhere_than_the_block_is_refused(
    problems_of: Problems, file: dict[str, object], block: dict[str, object], key: str
) -> None:
    (problem,) = problems_of(file | QUEUE, block)
    assert problem.startswith(f"config: {key}: points elsewhere than block juwels, which is for ")


def test_a_problem_names_the_block_if_the_value_is_the_blocks(problems_of: Problems) -> None:
    assert problems_of("Slurm: {}\nResources: {Queue: q}", {"Resources": {"Nodes": 0, "Quue": "q"}}) == (
        "block juwels: Resources.Nodes: must be a whole number from 1 to 2147483647, in digits only",
        "block juwels: Resources.Quue: unknown key: did you mean Queue?",
    )


def test_what_is_required_may_come_from_the_block(load: Load, problems_of: Problems) -> None:
    assert load(SSH, QUEUE).config.resources.queue == "q"
    assert problems_of(SSH) == ("config: Resources.Queue: is required for SSH; a block may supply it",)


@pytest.mark.parametrize("backend", ["Slurm", "Local"])
def test_a_queue_is_not_required_on_this_host(load: Load, backend: str) -> None:
    assert load({backend: {}}).config.resources.queue is None


@pytest.mark.parametrize(
    ("file", "environ", "account"),
    [
        ({"Account": "file"}, "environment", "file"),
        ({}, "environment", "environment"),
        ({}, "", "block"),
    ],
)
def test_the_account_is_the_files_else_the_environments_else_the_blocks(
    load: Load, file: dict[str, object], environ: str, account: str
) -> None:
    loaded = load({"Slurm": {}} | file, {"Account": "block"}, {"MANTIK_COMPUTE_BUDGET_ACCOUNT": environ})
    assert loaded.config.account == account


def test_an_account_of_the_environment_is_checked_too(problems_of: Problems) -> None:
    assert problems_of({"Slurm": {}}, environ={"MANTIK_COMPUTE_BUDGET_ACCOUNT": "a\nb"}) == (
        "MANTIK_COMPUTE_BUDGET_ACCOUNT: Account: must be one line of printable characters",
    )
