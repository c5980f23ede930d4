"""The reference of all config keys, as Markdown, read off the models."""

from __future__ import annotations

from typing import Any

import yaml

from mantik_tasks.config.catalogue import Key, all_keys, format_of, words_of
from mantik_tasks.config.legacy import COMMANDS, RENAMED
from mantik_tasks.config.schema import SCHEMA_FILE

EXAMPLE = """\
UnicoreApiUrl: https://unicore.example.org:8080/SITE/rest/core
Account: hpc-project
Resources:
  Queue: batch
  Runtime: 1h30m
  Nodes: 2
  TasksPerNode: 4
  CPUsPerTask: 12
  GPUsPerNode: 4
Environment:
  Modules: [CUDA/12]
  Apptainer:
    Type: remote
    Path: /p/project/images/torch.sif
    Options: [--nv]
  Variables:
    DATA: $SCRATCH/data
Exclude: ["*.sif", data/]
"""

_INTRODUCTION = f"""\
# Compute Backend Config

<!-- Written by scripts/generate-docs. Edit mantik_tasks/config/ instead. -->

The file beside `MLproject` that says where and how a project runs: `compute-backend-config.yaml`
(or `.yml`, `.json`). The schema is [Mantik](https://mantik.ai)'s; keys marked **+** are additions.

```yaml
{EXAMPLE}```

An editor that knows JSON Schema checks the file while you type. `mantik-tasks schema` prints the schema
(`{SCHEMA_FILE.name}`); save it, and name it in the first line of a YAML file,
or as `"$schema"` in a JSON file:

```yaml
# yaml-language-server: $schema=./{SCHEMA_FILE.name}
```
"""

_VALUES = """\
## How values are read

- Text stays as it is written: `007`, `1e-6`, `3.10`, `true` and `1_000` arrive as those characters.
- Where a list of texts is wanted, one text is a list of one. A block of several lines (`|`) is one text.
- `Runtime` needs a unit, because a bare number means minutes to Slurm and seconds to UNICORE.
- A key without a value is an error; leave it out. `Local:` and `Slurm:` have no keys, so they need no value.
- Keys are spelled exactly. An unknown key is an error that names the nearest valid one.
- `Exclude` follows gitignore. `./x`, as Mantik allowed it, is read as `x`, with a warning; absolute patterns
  and `..` are errors.
- `MLFLOW_RUN_ID` and `MLFLOW_EXPERIMENT_ID` are set by the run; in `Variables` they are ignored,
  with a warning.
- YAML anchors, aliases and merge keys (`<<`) work. A key given twice is an error. A file has at most 1 MiB.

All problems are shown at once, each with its line:

```
compute-backend-config.yaml:4: Resources.Quue: unknown key: did you mean Queue?
```
"""

_MERGING = """\
## How a block's keys are merged

A block may supply any key. What is required is checked afterwards.

- Mappings are merged key by key, and the file wins. Scalars and lists of the file replace the block's.
- Of `Apptainer` and `Python`, the one that the file names silences the block's other one.
- The file may name the block's site again, or leave it out. Naming another backend, host, port or URL is an
  error: the block's credentials are for the block's site. Host names are compared without regard to capitals,
  URLs also without a slash at the end. If the file gives no `SSH.Port`, the block's holds.
- `Account`: the file's, else the environment variable `MANTIK_COMPUTE_BUDGET_ACCOUNT`, else the block's.
"""


def reference_text() -> str:
    """Return the whole page."""
    parts = [
        _INTRODUCTION,
        _VALUES,
        "## Keys\n\n" + _section_text("Top level", (), "Exactly one backend is named."),
    ]
    parts += [
        _section_text(f"`{'.'.join(key.path)}`", key.path, key.section.__doc__ or "")
        for key in all_keys()
        if key.section and key.section.model_fields
    ]
    return "\n".join([*parts, _MERGING, _legacy_text()])


def _section_text(title: str, path: tuple[str, ...], about: str) -> str:
    rows = [_row(key) for key in all_keys() if key.path[:-1] == path]
    return _table(
        f"### {title}\n\n{about}\n", ("Key", "Value", "Default", "Used by", "Example", "Meaning"), rows
    )


def _row(key: Key) -> tuple[str, ...]:
    facts = key.field.json_schema_extra if isinstance(key.field.json_schema_extra, dict) else {}
    ours = " **+**" if facts.get("x-ours") else ""
    return (
        f"`{key.path[-1]}`{ours}",
        _value(key),
        _default(key),
        str(facts.get("x-used-by") or _used_by_section(key)),
        "; ".join(f"`{_as_yaml(example)}`" for example in key.field.examples or ()),
        key.field.description or "",
    )


def _used_by_section(key: Key) -> str:
    """Return the backend whose section a key is in, else all."""
    return key.path[0] if key.path[0] in ("SSH", "Firecrest") else "all"


def _value(key: Key) -> str:
    if key.section:
        return "section" if key.section.model_fields else "`{}`"
    known = format_of(key.field)
    return known.words if known else " or ".join(f"`{word}`" for word in words_of(key.field))


def _default(key: Key) -> str:
    if key.field.is_required():
        return "required"
    default = None if key.section else key.field.get_default(call_default_factory=True)
    return f"`{default}`" if default else "–"


def _as_yaml(example: Any) -> str:
    text = yaml.safe_dump(example, default_flow_style=True, width=10_000)
    return text.removesuffix("...\n").strip()


def _legacy_text() -> str:
    rows: list[tuple[str, ...]] = [
        (f"`{'.'.join(old)}`", f"`{'.'.join(new)}`") for old, new in RENAMED.items()
    ]
    for old, (compute, login) in COMMANDS.items():
        name = ".".join(old)
        rows.append((f"`{name}.Command`", f"`{'.'.join(compute)}`"))
        rows.append((f"`{name}.Command` with `ExecuteOnLoginNode: true`", f"`{'.'.join(login)}`"))
    about = "## Old spellings\n\nRead with a warning. The old and the new one together are an error.\n"
    return _table(about, ("Old", "New"), rows)


def _table(before: str, head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *rows]
    cells = (" | ".join(cell.replace("|", r"\|") for cell in line) for line in lines)
    return before + "\n" + "".join(f"| {line} |\n" for line in cells)
