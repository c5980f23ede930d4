"""What starts the entry point: plainly, in a virtual environment, or in an Apptainer image."""

from __future__ import annotations

import re
import shlex

from mantik_tasks.config.models import Apptainer, BackendKind, ComputeBackendConfig, ImageType, Launcher
from mantik_tasks.errors import ConfigError
from mantik_tasks.models import RunSpec
from mantik_tasks.script.header import SLURM_KINDS
from mantik_tasks.script.layout import task_layout
from mantik_tasks.script.quoting import expandable, expandable_words, quote

_QUOTED = re.compile(r"""'[^']*'|"(?:\\.|[^"\\])*"|\\.""", re.DOTALL)
_NEEDS_SHELL = re.compile(
    r"""
    [;&|<>()\n'"\\]                              # an operator, or a quote that is not closed
    | ^\s*[A-Za-z_][A-Za-z0-9_]*=                # a variable for the command
    | ^\s*(?:!|\.|eval|exec|source|time)(?:\s|$)  # a word of the shell's own
    """,
    re.VERBOSE,
)


def activation(config: ComputeBackendConfig) -> str | None:
    """Return the command that activates the virtual environment, if there is one."""
    venv = config.environment.python
    if venv is None:
        return None
    return f"eval {quote('source ' + expandable(venv.path.rstrip('/') + '/bin/activate'))}"


def entry_point(spec: RunSpec) -> str:
    """Return the command that runs the entry point.

    Plainly it runs as MLflow runs it, by `bash -c`. In Apptainer its words are appended to `apptainer
    run`, so that the run script of the image gets them one by one, as with Mantik; `$VAR` in them is
    the job's. Only a command that needs a shell of its own (`a && b`, `A=1 b`) becomes `bash -c`,
    with the shell of the image.

    Raises:
        ConfigError: If Apptainer's options can't be split into words.
    """
    launcher = _launcher(spec.config)
    apptainer = spec.config.environment.apptainer
    if apptainer is None:
        return " ".join([*launcher, "bash", "-c", quote(spec.command)])
    words = [*launcher, "apptainer", "run", "--bind", '"$MANTIK_WORKING_DIRECTORY"']
    words += [*_options(apptainer), _image(apptainer), _in_image(spec.command.strip())]
    # Not written out, because a quoted parameter may hold line breaks.
    return f"eval {quote(' '.join(words))}"


def needs_shell(command: str) -> bool:
    """Whether a command is more than one program and its words."""
    return _NEEDS_SHELL.search(_QUOTED.sub("_", command)) is not None


def _in_image(command: str) -> str:
    return f"bash -c {shlex.quote(command)}" if needs_shell(command) else command


def _image(apptainer: Apptainer) -> str:
    if apptainer.type is ImageType.REMOTE:
        return expandable(apptainer.path)
    return f'"$MANTIK_WORKING_DIRECTORY"/{shlex.quote(apptainer.staged_path)}'


def _options(apptainer: Apptainer) -> list[str]:
    words = []
    for option in apptainer.options:
        try:
            words += expandable_words(option)
        except ValueError as error:
            raise ConfigError(f"Environment.Apptainer.Options: {option!r}: {error}") from error
    return words


def _launcher(config: ComputeBackendConfig) -> list[str]:
    """Return the words before the command. `srun` starts containers on Slurm, unless told otherwise."""
    launcher = config.environment.launcher
    if launcher is None:
        containers_on_slurm = config.backend in SLURM_KINDS and config.environment.apptainer is not None
        launcher = Launcher.SRUN if containers_on_slurm else Launcher.NONE
    if launcher is Launcher.NONE:
        return []
    tasks = task_layout(config.resources).tasks_per_node
    if config.backend is not BackendKind.UNICORE or tasks is None:
        return ["srun"]
    # UNICORE asks Slurm for as many tasks as CPUs; how many are meant can only be said here.
    total = config.resources.total_cpus or f'"$((SLURM_JOB_NUM_NODES * {tasks}))"'
    return ["srun", f"--ntasks={total}", f"--ntasks-per-node={tasks}"]
