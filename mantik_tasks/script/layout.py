"""How many tasks run on a node, and with how many CPUs each."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

from mantik_tasks.config.models import Resources


@dataclass(frozen=True)
class TaskLayout:
    """What a config's CPU keys mean together; `None` is left to the scheduler."""

    tasks_per_node: int | None
    cpus_per_task: int | None


def task_layout(resources: Resources) -> TaskLayout:
    """Return the task layout of a job.

    `CPUsPerNode` alone is one task a node with that many CPUs. Together with a number of tasks, the
    CPUs of a node are shared among its tasks; what can't be shared evenly stays idle.
    """
    tasks = _tasks_per_node(resources)
    cpus = resources.cpus_per_task
    if cpus is None and resources.cpus_per_node is not None and tasks is not None:
        cpus = max(1, resources.cpus_per_node // tasks)
    return TaskLayout(tasks, cpus)


def _tasks_per_node(resources: Resources) -> int | None:
    if resources.tasks_per_node is not None or resources.cpus_per_node is None:
        return resources.tasks_per_node
    if resources.cpus_per_task is not None:
        return max(1, resources.cpus_per_node // resources.cpus_per_task)
    if resources.total_cpus is None:
        return 1
    if resources.nodes is not None:
        return ceil(resources.total_cpus / resources.nodes)
    return min(resources.total_cpus, resources.cpus_per_node)
