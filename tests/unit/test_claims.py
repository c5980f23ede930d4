"""A retried flow gives its runs the labels that they had."""

from uuid import UUID, uuid4

import pytest

from mantik_tasks.claims import Chain, FlowRunExecution, LabelClaims
from mantik_tasks.errors import ConfigError

ROOT, CHILD = uuid4(), uuid4()


def chain(*executions: tuple[UUID, int]) -> Chain:
    return tuple(FlowRunExecution(*execution) for execution in executions)


def test_runs_are_numbered_by_entry_point() -> None:
    claims = LabelClaims()
    given = [claims.claim(chain((ROOT, 1)), None, name) for name in ("train", "train", "predict", "train")]
    assert given == ["train-1", "train-2", "predict-1", "train-3"]


def test_a_caller_s_label_is_taken_as_it_is_and_once() -> None:
    claims = LabelClaims()
    assert claims.claim(chain((ROOT, 1)), "big", "train") == "big"
    with pytest.raises(ConfigError, match="'big'"):
        claims.claim(chain((ROOT, 1)), "big", "train")


def test_another_root_has_labels_of_its_own() -> None:
    claims = LabelClaims()
    assert claims.claim(chain((ROOT, 1)), "x", "train") == "x"
    assert claims.claim(chain((uuid4(), 1)), "x", "train") == "x"


def test_subflows_share_the_labels_of_their_root() -> None:
    claims = LabelClaims()
    assert claims.claim(chain((ROOT, 1)), None, "train") == "train-1"
    assert claims.claim(chain((ROOT, 1), (CHILD, 1)), None, "train") == "train-2"


def test_a_retried_flow_run_gets_the_same_labels_again() -> None:
    claims = LabelClaims()
    claims.claim(chain((ROOT, 1)), None, "train")
    claims.claim(chain((ROOT, 1), (CHILD, 1)), None, "train")
    assert claims.claim(chain((ROOT, 2)), None, "train") == "train-1"
    assert claims.claim(chain((ROOT, 2), (uuid4(), 1)), None, "train") == "train-2"


def test_a_retried_subflow_gives_back_only_its_own() -> None:
    claims = LabelClaims()
    claims.claim(chain((ROOT, 1)), None, "train")
    claims.claim(chain((ROOT, 1), (CHILD, 1)), None, "train")
    assert claims.claim(chain((ROOT, 1), (CHILD, 2)), None, "train") == "train-2"


def test_a_subflow_that_is_called_again_is_another_run() -> None:
    claims = LabelClaims()
    claims.claim(chain((ROOT, 1), (CHILD, 1)), None, "train")
    assert claims.claim(chain((ROOT, 1), (uuid4(), 1)), None, "train") == "train-2"
