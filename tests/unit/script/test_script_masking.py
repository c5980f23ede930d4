"""What may be shown of a run, and what no text may hold."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mantik_tasks.backends.base import LOG_FILE, PRIVATE_FOLDER
from mantik_tasks.errors import ConfigError
from mantik_tasks.models import RunSpec
from mantik_tasks.script.masking import masked
from mantik_tasks.script.render import render

MakeSpec = Callable[..., RunSpec]


@pytest.mark.parametrize(
    "name", ["HF_TOKEN", "db_password", "WANDB_API_KEY", "APIKEY", "CLIENT_SECRET", "AWS_CREDENTIALS"]
)
def test_values_of_secret_sounding_variables_are_hidden(make_spec: MakeSpec, name: str) -> None:
    variables = {name: "hunter2", "OMP_NUM_THREADS": "12"}
    commands = ["true"]
    spec = make_spec(Environment={"Variables": variables, "PreRunCommandOnLoginNode": commands})
    shown = render(masked(spec))
    for text in (shown.job, shown.login_pre_run or ""):
        assert "hunter2" not in text
        assert f"export {name}='********'" in text
        assert "export OMP_NUM_THREADS=12" in text
    assert "hunter2" in render(spec).job


def test_masking_leaves_the_run_as_it_is(make_spec: MakeSpec) -> None:
    spec = make_spec(Environment={"Variables": {"KEYBOARD": "qwerty"}})
    assert masked(spec) == spec


def test_nul_is_refused(make_spec: MakeSpec) -> None:
    with pytest.raises(ConfigError, match="NUL"):
        render(make_spec("probe 'a\0b'"))


def test_script_and_backends_name_the_same_files(make_spec: MakeSpec) -> None:
    text = render(make_spec()).job
    assert f"$_mantik_directory/{LOG_FILE}" in text
    assert f"_mantik_private=$_mantik_directory/{PRIVATE_FOLDER}\n" in text
