"""From a `RunSpec` to the texts that run on the site.

Pure: the same input gives the same text, which knows no path on the site and no secret.

The job script takes the guard, so that a run directory has one job; opens `mantik.log`; runs its
steps in a shell of their own, each named in `.mantik/steps` as it begins; and writes
`.mantik/result.json` last. If a signal ends the script there is no result. It exits with

* the exit code of the step that failed, or 0;
* 1, if a step ended the job with 0 before the entry point was done;
* 96, if it finds no run directory, or can't write to it;
* 97, if the run belongs to another job.
"""

from __future__ import annotations

from mantik_tasks.config.models import BackendKind
from mantik_tasks.models import JobScript, RunSpec
from mantik_tasks.script.header import header
from mantik_tasks.script.job_description import job_description
from mantik_tasks.script.login import login_post_run, login_pre_run
from mantik_tasks.script.steps import job_steps
from mantik_tasks.script.templates import template


def render(spec: RunSpec) -> JobScript:
    """Return the scripts of a run.

    Raises:
        ConfigError: If something in the run can't be written so that it arrives whole.
    """
    config = spec.config
    job = header(config) + template("start.sh") + job_steps(spec) + template("finish.sh")
    if config.backend is BackendKind.UNICORE:
        return JobScript(job=job, job_description=job_description(config))
    return JobScript(
        job=job,
        login_pre_run=login_pre_run(config.environment),
        login_post_run=login_post_run(config.environment),
    )
