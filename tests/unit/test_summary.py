"""The page that sums up a run."""

from datetime import UTC, datetime

from mantik_tasks.backends.base import Accounting, JobHandle, JobState, JobStatus, Reason
from mantik_tasks.config.models import BackendKind, ComputeBackendConfig
from mantik_tasks.models import Project, RunSpec
from mantik_tasks.results import RunResult
from mantik_tasks.summary import summary_markdown
from mantik_tasks.tracking.connection import TrackedRun

SPEC = RunSpec(
    project=Project(source="https://h/r.git", directory="/x", name="wi|ne", commit="c0ffee", dirty=True),
    entry_point="train",
    parameters={"note": "a|b\n`c`", "html": "<img src=x>"},
    command="python train.py",
    config=ComputeBackendConfig.model_validate({"Local": {}, "Resources": {"Runtime": "10m"}}),
    config_source="c.yaml",
    warnings=("look <out>",),
)
RESULT = RunResult(
    handle=JobHandle(backend=BackendKind.LOCAL, site="me@here", path="/runs/x", key="k-a1", job_id="77"),
    status=JobStatus(
        state=JobState.FAILED,
        reason=Reason.EXIT_CODE,
        exit_code=3,
        message="it broke",
        started_at=datetime(2026, 11, 23, 4, 5, 6, tzinfo=UTC),
        nodes=("n1", "n2"),
        accounting=Accounting(elapsed_seconds=12.34, cpu_seconds=20, max_rss_mib=327.4),
    ),
    location="/results",
    files=("mantik.log",),
    mlflow_run=TrackedRun(run_id="r1", experiment_id="1", tracking_uri="http://m"),
)


def test_it_says_what_ran_where_how_it_ended_and_what_it_used() -> None:
    page = summary_markdown(SPEC, RESULT)
    for text in (
        "**FAILED** (EXIT\\_CODE, exit code 3, it broke)",
        "`c0ffee and changes`",
        "me@here (local)",
        "n1, n2",
        "[r1](http://m/#/experiments/1/runs/r1)",
        "2026-11-23 04:05:06 UTC",
        "| Time | 10m | 12.3 s |",
        "327 MiB",
        "`mantik.log`",
    ):
        assert text in page


def test_nothing_a_stranger_wrote_becomes_markup() -> None:
    page = summary_markdown(SPEC, RESULT)
    assert "wi\\|ne" in page
    assert "`a\\|b 'c'`" in page
    assert "look \\<out\\>" in page
