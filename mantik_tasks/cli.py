"""The `mantik-tasks` command. Needs no Prefect server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from mantik_tasks.errors import ConfigError
from mantik_tasks.models import RunSpec
from mantik_tasks.version import __version__

EXIT_PROBLEMS = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code: 0, or 2 with every problem on a line of standard error."""
    options = _parser().parse_args(arguments)
    try:
        output: str = options.command(options)
    except ConfigError as error:
        for problem in error.problems:
            print(" ".join(problem.split()), file=sys.stderr)
        return EXIT_PROBLEMS
    sys.stdout.write(output)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mantik-tasks", description="Check MLflow projects and show what would be submitted."
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    project = argparse.ArgumentParser(add_help=False)
    project.add_argument("project", metavar="PROJECT", help="a folder, or https://…/repo.git@REF#sub/dir")
    project.add_argument(
        "--backend-config", metavar="FILE", help="the Compute Backend Config; by default the project's own"
    )
    project.add_argument("--entry-point", metavar="NAME", default="main", help="by default main")
    project.add_argument(
        "-P",
        "--parameter",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="a value, taken as text as it stands; repeatable",
    )

    validate = commands.add_parser(
        "validate", parents=[project], help="check a project; every problem on a line of its own"
    )
    validate.set_defaults(command=_validate)
    render = commands.add_parser(
        "render", parents=[project], help="print what would be submitted, and nothing else"
    )
    render.set_defaults(command=_render)
    schema = commands.add_parser("schema", help="print the JSON Schema of the Compute Backend Config")
    schema.set_defaults(command=_schema)
    return parser


def _validate(options: argparse.Namespace) -> str:
    spec = _spec(options)
    return f"{spec.project.name}: entry point {spec.entry_point} can run on {spec.config.backend}\n"


def _render(options: argparse.Namespace) -> str:
    from mantik_tasks.script.masking import masked
    from mantik_tasks.script.render import render

    script = render(masked(_spec(options)))
    return script.job_description or script.job


def _schema(_options: argparse.Namespace) -> str:
    from mantik_tasks.config.schema import schema_text

    return schema_text()


def _spec(options: argparse.Namespace) -> RunSpec:
    # Imported late: MLflow takes seconds, which `schema` and `--help` need not wait for.
    from mantik_tasks.project.spec import make_spec

    spec = make_spec(
        options.project,
        entry_point=options.entry_point,
        parameters=_parameters(options.parameter),
        config=_config(options.project, options.backend_config),
    )
    for warning in spec.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    return spec


def _parameters(given: Sequence[str]) -> dict[str, str]:
    problems = [
        f"-P {item}: write name=value" for item in given if not item.partition("=")[0] or "=" not in item
    ]
    names = [item.partition("=")[0] for item in given]
    problems += [f"-P {name}: is given twice" for name in sorted(set(names)) if names.count(name) > 1]
    if problems:
        raise ConfigError(problems)
    return dict(item.split("=", 1) for item in given)


def _config(project: str, file: str | None) -> str | None:
    """Return the config as the project's or, if only that is there, as this folder's."""
    if file is None or (Path(project) / file).is_file() or not Path(file).is_file():
        return file
    return str(Path(file).resolve())


if __name__ == "__main__":
    sys.exit(main())
