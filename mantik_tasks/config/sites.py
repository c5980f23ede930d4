"""The sections that name a backend, and what it takes to reach it."""

from __future__ import annotations

from pydantic import Field

from mantik_tasks.config.section import Section
from mantik_tasks.config.values import Hostname, Port, Text, Url


class LocalSite(Section):
    """Plain processes on this host. Has no keys: write `{}`."""


class SlurmSite(Section):
    """Slurm commands on this host: the worker lives on a login node. Has no keys: write `{}`."""


class SshSite(Section):
    """Slurm behind SSH."""

    hostname: Hostname = Field(
        alias="Hostname", description="Host name of a login node.", examples=["login.hpc.example.org"]
    )
    port: Port | None = Field(
        None, alias="Port", description="Port of the SSH server; 22 if nobody names one.", examples=[22]
    )


class FirecrestSite(Section):
    """A site behind firecREST."""

    api_url: Url = Field(
        alias="ApiUrl",
        description="URL of the firecREST API.",
        examples=["https://firecrest.example.org"],
    )
    token_url: Url = Field(
        alias="TokenUrl",
        description="URL that gives out access tokens.",
        examples=["https://auth.example.org/realms/hpc/protocol/openid-connect/token"],
    )
    machine: Text = Field(
        alias="Machine", description="Name of the system, as the API calls it.", examples=["daint"]
    )
