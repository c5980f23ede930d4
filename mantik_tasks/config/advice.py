"""What runs, but not as a person may expect."""

from __future__ import annotations

import re

from mantik_tasks.config.node import Node
from mantik_tasks.config.report import Report

SET_BY_THE_RUN = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID")
_SECRET_NAME = re.compile("(^|_)(TOKEN|PASSWORD|PASSWD|SECRET|API_?KEY|CREDENTIALS?)(_|$)", re.IGNORECASE)
_TASK_KEYS = ("TasksPerNode", "CPUsPerTask", "TotalCPUs")
_VARIABLES = ("Environment", "Variables")


def advised(root: Node, report: Report) -> Node:
    """Warn where it helps; return the tree without the variables that a run sets itself."""
    resources = root.at("Resources") or Node({}, root.place)
    cpus = resources.at("CPUsPerNode")
    if cpus and not any(key in resources.entries for key in _TASK_KEYS):
        report.warning(
            cpus.place,
            ("Resources", "CPUsPerNode"),
            "alone means one task per node with that many CPUs; for more tasks give TasksPerNode",
        )
    variables = root.at(*_VARIABLES) or Node({}, root.place)
    for name, value in variables.entries.items():
        path = (*_VARIABLES, name)
        if name in SET_BY_THE_RUN:
            report.warning(value.place, path, "is set by the run; the value given here is ignored")
            root = root.without(*path)
        elif _SECRET_NAME.search(name) and not _is_expansion(value):
            report.warning(
                value.place,
                path,
                "looks like a secret, and will be readable in the job script: "
                "keep it in a file on the site and write $(cat FILE)",
            )
    return root


def _is_expansion(value: Node) -> bool:
    """Whether the job script will hold only where the value comes from."""
    return isinstance(value.value, str) and value.value.startswith("$")
