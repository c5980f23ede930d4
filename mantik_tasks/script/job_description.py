"""The job description that UNICORE takes."""

from __future__ import annotations

import json
import shlex

from mantik_tasks.config.models import ComputeBackendConfig, Resources
from mantik_tasks.errors import ConfigError
from mantik_tasks.script.layout import task_layout
from mantik_tasks.script.login import login_post_run, login_pre_run

JOB_SCRIPT = ".mantik/job.sh"


def job_description(config: ComputeBackendConfig) -> str:
    """Return the job description as JSON; name and tags are added at submission.

    Raises:
        ConfigError: If something in it means something else to UNICORE, or nothing.
    """
    description = {
        "Executable": "/bin/bash",
        "Arguments": ["-l", JOB_SCRIPT],
        "Project": config.account,
        "Resources": _resources(config.resources),
        "User precommand": _in_bash(login_pre_run(config.environment)),
        "User postcommand": _in_bash(login_post_run(config.environment)),
        "haveClientStageIn": "true",
    }
    return json.dumps({key: value for key, value in description.items() if value}, indent=2) + "\n"


def _in_bash(script: str | None) -> str | None:
    """Return a command for any shell; in a process of its own, since UNICORE adds lines that must run."""
    return None if script is None else f"/bin/bash -c {shlex.quote(script)}"


def _resources(resources: Resources) -> dict[str, str]:
    if resources.extra_options:
        raise ConfigError("Resources.ExtraOptions: UNICORE takes no options for the scheduler; remove them")
    values = {
        "Queue": resources.queue,
        "Runtime": resources.runtime_seconds,
        "Nodes": resources.nodes,
        "CPUsPerNode": _cpus_per_node(resources),
        "TotalCPUs": resources.total_cpus,
        "GPUsPerNode": resources.gpus_per_node,
        "MemoryPerNode": resources.memory_per_node_mib and f"{resources.memory_per_node_mib}M",
        "Reservation": resources.reservation,
        "NodeConstraints": resources.node_constraints,
        "QoS": resources.qos,
        "Exclusive": "true" if resources.exclusive else None,
    }
    texts = {key: str(value) for key, value in values.items() if value is not None}
    for key, text in texts.items():
        if "${" in text:
            raise ConfigError(f"Resources.{key}: must not hold ${{...}}, which UNICORE would evaluate")
    return texts


def _cpus_per_node(resources: Resources) -> int | None:
    layout = task_layout(resources)
    if resources.cpus_per_node is not None or layout.tasks_per_node is None:
        return resources.cpus_per_node
    return layout.tasks_per_node * (layout.cpus_per_task or 1)
