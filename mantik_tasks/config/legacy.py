"""Old spellings of Mantik's config, and what they are called now."""

from __future__ import annotations

from mantik_tasks.config.node import Node
from mantik_tasks.config.quantities import parse_flag
from mantik_tasks.config.report import Report

Names = tuple[str, ...]

RENAMED: dict[Names, Names] = {
    ("SingularityImage",): ("Environment", "Apptainer", "Path"),
    ("Environment", "Singularity"): ("Environment", "Apptainer"),
    ("Resources", "CPUs"): ("Resources", "TotalCPUs"),
    ("Resources", "Memory"): ("Resources", "MemoryPerNode"),
}
COMMANDS: dict[Names, tuple[Names, Names]] = {
    # the old key; its new key for the compute node; its new key for the login node
    ("Environment", f"{when}Command"): (
        ("Environment", f"{when}CommandOnComputeNode"),
        ("Environment", f"{when}CommandOnLoginNode"),
    )
    for when in ("PreRun", "PostRun")
}
COMMAND_KEYS = ("Command", "ExecuteOnLoginNode")


def modernised(root: Node, report: Report) -> Node:
    """Return the tree in today's spellings, with a warning for each old one."""
    for old, new in RENAMED.items():
        if node := root.at(*old):
            root = _moved(root, old, new, node, report)
    for old, targets in COMMANDS.items():
        if node := root.at(*old):
            on_login_node = _on_login_node(node, old, report)
            if command := node.at("Command"):
                root = _moved(root, old, targets[on_login_node], command, report)
            root = root.without(*old)
    return root


def _moved(root: Node, old: Names, new: Names, node: Node, report: Report) -> Node:
    place = root.nearest(old)
    if taken := _taken(root, new):
        report.problem(
            place, old, f"is the old spelling of {'.'.join(new)}, which is in {taken.place} too: keep one"
        )
        return root.without(*old)
    report.warning(place, old, f"is an old spelling: write {'.'.join(new)}")
    return root.without(*old).put(new, node)


def _taken(root: Node, new: Names) -> Node | None:
    """Return what stands where an old key is to go; the image's section counts as the image."""
    return root.at(*(new[:2] if "Apptainer" in new else new))


def _on_login_node(node: Node, path: Names, report: Report) -> bool:
    """Return where an old-style command ran, and report what is wrong with its section."""
    if not isinstance(node.value, dict):
        report.problem(node.place, path, f"must be a mapping with the keys {' and '.join(COMMAND_KEYS)}")
    elif "Command" not in node.value:
        report.problem(node.place, (*path, "Command"), "is required")
    for key, below in node.entries.items():
        if key not in COMMAND_KEYS:
            report.problem(below.place, (*path, key), f"unknown key: valid are {', '.join(COMMAND_KEYS)}")
    flag = node.at("ExecuteOnLoginNode")
    try:
        return parse_flag(flag.value) if flag else False
    except ValueError as error:
        report.problem(node.nearest(("ExecuteOnLoginNode",)), (*path, "ExecuteOnLoginNode"), str(error))
        return False
