"""The steps of a job, in the order in which they run, each with the name that a failure is told by."""

from __future__ import annotations

from collections.abc import Iterator

from mantik_tasks.config.models import Environment
from mantik_tasks.models import RunSpec
from mantik_tasks.script.launch import activation, entry_point
from mantik_tasks.script.layout import task_layout
from mantik_tasks.script.quoting import expandable, has_expansion, quote
from mantik_tasks.script.templates import template


def job_steps(spec: RunSpec) -> str:
    """Return what the job does between its guard and its result."""
    config = spec.config
    environment = config.environment
    parts = [*_variables(environment)]
    if cpus := task_layout(config.resources).cpus_per_task:
        parts.append(f'export SRUN_CPUS_PER_TASK="${{SRUN_CPUS_PER_TASK:-{cpus}}}"\n')
    if environment.modules:
        names = " ".join(map(quote, environment.modules))
        parts.append(_begin(f"Modules: {' '.join(environment.modules)}") + template("modules.sh"))
        parts.append(_ended(f"module load {names}"))
    parts += command_steps("PreRunCommandOnComputeNode", environment.pre_run_on_compute_node)
    if (activate := activation(config)) and environment.python:
        parts.append(_begin(f"Python: {environment.python.path}") + "set +e\n" + _ended(activate))
    # Nothing ends the main step but the entry point's own exit code.
    parts.append(_begin("main") + template("main.sh") + "set +e\n" + _ended(entry_point(spec)))
    parts += command_steps("PostRunCommandOnComputeNode", environment.post_run_on_compute_node)
    return "".join(parts)


def command_steps(key: str, commands: tuple[str, ...]) -> Iterator[str]:
    """Yield the steps for the commands under a key of the config.

    They run in the script's own shell, so that what one sets, loads or enters lasts for the next.
    """
    for number, command in enumerate(commands, start=1):
        yield _begin(f"{key} {number}") + _ended(f"eval {quote(command)}")


def export_variables(environment: Environment) -> str:
    """Return exports that go on when the command in a value fails, as on a login node it may."""
    return "".join(map(_export, environment.variables, environment.variables.values()))


def _variables(environment: Environment) -> Iterator[str]:
    for name, value in environment.variables.items():
        yield _begin(f"Variables: {name}") + _export(name, value)


def _export(name: str, value: str) -> str:
    if not has_expansion(value):
        return f"export {name}={quote(value)}\n"
    # In two steps, because export hides that a command in the value failed. By eval, because what
    # looks like a command may be no valid one, and then only this step must fail.
    return f"eval {quote(f'{name}={expandable(value)}')}\nexport {name}\n"


def _begin(name: str) -> str:
    return f"\n_mantik_begin {quote(name)}\n"


def _ended(command: str) -> str:
    return f'{command}\n_mantik_end "$?"\n'
