"""The section `Resources`."""

from __future__ import annotations

from pydantic import Field, field_serializer

from mantik_tasks.config.quantities import format_runtime
from mantik_tasks.config.section import BY_SCHEDULERS, OURS, Section
from mantik_tasks.config.values import Count, CountFromZero, Flag, MemoryMib, RuntimeSeconds, Text, TextList


class Resources(Section):
    """What the job asks of the scheduler."""

    queue: Text | None = Field(
        None,
        alias="Queue",
        description="Queue or partition. Required for UnicoreApiUrl, Firecrest and SSH.",
        examples=["batch"],
        json_schema_extra=BY_SCHEDULERS,
    )
    runtime_seconds: RuntimeSeconds | None = Field(
        None, alias="Runtime", description="Longest time that the job may run.", examples=["1h30m"]
    )
    nodes: Count | None = Field(
        None, alias="Nodes", description="Number of nodes.", examples=[2], json_schema_extra=BY_SCHEDULERS
    )
    total_cpus: Count | None = Field(
        None,
        alias="TotalCPUs",
        description="Number of tasks over all nodes.",
        examples=[8],
        json_schema_extra=BY_SCHEDULERS,
    )
    cpus_per_node: Count | None = Field(
        None,
        alias="CPUsPerNode",
        description="CPUs of each node. Alone, it means one task a node with that many CPUs.",
        examples=[48],
        json_schema_extra=BY_SCHEDULERS,
    )
    tasks_per_node: Count | None = Field(
        None,
        alias="TasksPerNode",
        description="Tasks started on each node.",
        examples=[4],
        json_schema_extra=OURS | BY_SCHEDULERS,
    )
    cpus_per_task: Count | None = Field(
        None,
        alias="CPUsPerTask",
        description="CPUs of each task.",
        examples=[12],
        json_schema_extra=OURS | BY_SCHEDULERS,
    )
    gpus_per_node: CountFromZero | None = Field(
        None,
        alias="GPUsPerNode",
        description="GPUs of each node.",
        examples=[4],
        json_schema_extra=BY_SCHEDULERS,
    )
    memory_per_node_mib: MemoryMib | None = Field(
        None,
        alias="MemoryPerNode",
        description="Memory of each node.",
        examples=["12GiB"],
        json_schema_extra=BY_SCHEDULERS,
    )
    reservation: Text | None = Field(
        None,
        alias="Reservation",
        description="Name of a reservation to run in.",
        examples=["course-2025"],
        json_schema_extra=BY_SCHEDULERS,
    )
    node_constraints: Text | None = Field(
        None,
        alias="NodeConstraints",
        description="Features that the nodes must have.",
        examples=["gpu&largemem"],
        json_schema_extra=BY_SCHEDULERS,
    )
    qos: Text | None = Field(
        None,
        alias="QoS",
        description="Quality of service.",
        examples=["normal"],
        json_schema_extra=BY_SCHEDULERS,
    )
    exclusive: Flag | None = Field(
        None,
        alias="Exclusive",
        description="Share the nodes with nobody.",
        examples=[True],
        json_schema_extra=OURS | BY_SCHEDULERS,
    )
    extra_options: TextList = Field(
        (),
        alias="ExtraOptions",
        description="More options for the scheduler, each of them whole.",
        examples=[["--mail-type=END"]],
        json_schema_extra=OURS | BY_SCHEDULERS,
    )

    @field_serializer("runtime_seconds")
    def _runtime_with_unit(self, seconds: int | None) -> str | None:
        return None if seconds is None else format_runtime(seconds)
