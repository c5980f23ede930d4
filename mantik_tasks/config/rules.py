"""Rules that span several keys, checked on the merged config."""

from __future__ import annotations

from mantik_tasks.config.catalogue import BACKEND_KEYS
from mantik_tasks.config.node import Node
from mantik_tasks.config.report import Report

NEED_A_QUEUE = ("UnicoreApiUrl", "Firecrest", "SSH")
LOGIN_COMMANDS = ("PreRunCommandOnLoginNode", "PostRunCommandOnLoginNode")


def check_rules(root: Node, report: Report) -> None:
    """Report combinations of keys that can't be run."""
    _one_backend(root, report)
    environment = root.at("Environment") or Node({}, root.place)
    for backend in NEED_A_QUEUE:
        if backend in root.entries and root.at("Resources", "Queue") is None:
            path = ("Resources", "Queue")
            report.problem(root.nearest(path), path, f"is required for {backend}; a block may supply it")
            break
    if "Apptainer" in environment.entries and "Python" in environment.entries:
        report.problem(
            environment.entries["Python"].place,
            ("Environment", "Python"),
            f"can't be combined with Apptainer in {environment.entries['Apptainer'].place}: keep one",
        )
    for key in LOGIN_COMMANDS:
        commands = environment.at(key)
        if commands and commands.items and "Firecrest" in root.entries:
            report.problem(
                commands.place,
                ("Environment", key),
                "firecREST can't run commands on a login node: use the key that ends in OnComputeNode",
            )


def _one_backend(root: Node, report: Report) -> None:
    named = [key for key in BACKEND_KEYS if key in root.entries]
    if not named:
        valid = ", ".join(BACKEND_KEYS)
        report.problem(root.place, (), f"no backend is named: give one of {valid}; a block may supply it")
    for key in named[1:]:
        report.problem(
            root.entries[key].place,
            (key,),
            f"a second backend, beside {named[0]} in {root.entries[named[0]].place}: keep one",
        )
