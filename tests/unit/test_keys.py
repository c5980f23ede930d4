"""Run keys and attempt keys."""

from uuid import UUID

import pytest

from mantik_tasks.errors import ConfigError
from mantik_tasks.keys import attempt_key, run_key, slug, split_attempt_key

FLOW_RUN = UUID("01936f1e-7d53-7b2a-9c1d-a1b2c3d4e5f6")


def test_a_run_key_holds_the_random_end_of_the_flow_run_s_id() -> None:
    assert run_key(FLOW_RUN, "train-1") == "a1b2c3d4e5f6-train-1"


def test_an_attempt_key_can_be_taken_apart_again() -> None:
    key = attempt_key(run_key(FLOW_RUN, "x-a2"), 11)
    assert key == "a1b2c3d4e5f6-x-a2-a11"
    assert split_attempt_key(key) == ("a1b2c3d4e5f6-x-a2", 11)


@pytest.mark.parametrize("label", ["", "a b", "../x", "-x", ".x", "a/b", "a\nb", "é", "x" * 49])
def test_labels_that_can_name_no_folder(label: str) -> None:
    with pytest.raises(ConfigError):
        run_key(FLOW_RUN, label)


@pytest.mark.parametrize(
    "key", ["", "x", "a1b2c3d4e5f6-x", "a1b2c3d4e5f6-x-a0", "../a1b2c3d4e5f6-x-a1", "a1b2c3d4e5f6-x-a1\n"]
)
def test_what_is_no_attempt_key(key: str) -> None:
    with pytest.raises(ValueError, match="not an attempt key"):
        split_attempt_key(key)


@pytest.mark.parametrize("name", ["train", "train.py", "my step", "-", "", "日本", "x" * 99, "a/b/../c"])
def test_any_entry_point_makes_a_label(name: str) -> None:
    assert run_key(FLOW_RUN, f"{slug(name)}-1")
