"""The scripts for a site's login node."""

from __future__ import annotations

from mantik_tasks.config.models import Environment
from mantik_tasks.script.steps import command_steps, export_variables
from mantik_tasks.script.templates import template


def login_script(environment: Environment, key: str, commands: tuple[str, ...]) -> str | None:
    """Return a script that runs `commands`, or nothing if there are none.

    Args:
        environment: Whose variables the commands see.
        key: The config's key that the commands are from.
        commands: One step each.
    """
    if not commands:
        return None
    return template("login.sh") + export_variables(environment) + "".join(command_steps(key, commands))


def login_pre_run(environment: Environment) -> str | None:
    """Return the script to run before submission, if there is anything to do."""
    return login_script(environment, "PreRunCommandOnLoginNode", environment.pre_run_on_login_node)


def login_post_run(environment: Environment) -> str | None:
    """Return the script to run after success, if there is anything to do."""
    return login_script(environment, "PostRunCommandOnLoginNode", environment.post_run_on_login_node)
