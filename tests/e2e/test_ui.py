"""What a person does and sees in the Prefect UI, in a real browser."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import pytest
from playwright.async_api import Page, async_playwright, expect

if TYPE_CHECKING:
    from tests.e2e.conftest import Stack

CHROMIUM = shutil.which("chromium")
OPTIONS = [
    "--no-sandbox",  # root has none
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

pytestmark = [
    pytest.mark.server,
    pytest.mark.browser,
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        CHROMIUM is None and "CI" not in os.environ,
        reason="there is no chromium; Debian: apt install chromium",
    ),
]


@pytest.fixture
async def page(tmp_path: Path) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        context = await playwright.chromium.launch_persistent_context(
            tmp_path / "profile",
            executable_path=CHROMIUM,
            args=OPTIONS,
            viewport={"width": 1400, "height": 1800},
        )
        yield await context.new_page()
        await context.close()


async def test_a_click_on_the_run_form_runs_a_project(
    stack: Stack, project: Callable[[str], Path], page: Page
) -> None:
    deployment = await stack.ask(lambda client: client.read_deployment_by_name("run-project/default"))
    await page.goto(f"{stack.servers.prefect_url}/deployments/deployment/{deployment.id}")
    await page.get_by_role("button", name="Run", exact=True).click()
    await page.get_by_text("Custom run").click()
    for title in (
        "Project",
        "Entry point",
        "Parameters",
        "Compute backend",
        "MLflow tracking",
        "Files to fetch",
    ):
        await expect(page.get_by_text(title).first).to_be_visible()
    await expect(page.get_by_text("Name of the entry point in the MLproject file.")).to_be_visible()

    fields = page.get_by_role("textbox")
    folder = str(project("module"))
    await fields.nth(1).fill(folder)
    await fields.nth(2).fill("main")
    for block in ("ComputeBackend", "MlflowTracking"):
        await page.get_by_text(block, exact=True).click()
        await page.wait_for_load_state("networkidle")
        await page.locator(".p-select-button__control").last.press("ArrowDown")
        await page.locator(".p-select-option", has_text="test").last.click()
    await page.get_by_role("button", name="Submit").click()

    async def started_by_click() -> UUID | None:
        flow_runs = await stack.ask(lambda client: client.read_flow_runs())
        return next((run.id for run in flow_runs if run.parameters.get("project") == folder), None)

    flow_run = await stack.ended(await stack.eventually(started_by_click))
    assert flow_run.state is not None
    assert flow_run.state.is_completed(), flow_run.state.message

    await page.goto(f"{stack.servers.prefect_url}/runs/flow-run/{flow_run.id}")
    await expect(page.get_by_text("hello from a module")).to_be_visible()
    await page.get_by_text("Artifacts", exact=True).click()
    await expect(page.get_by_text("module: main on")).to_be_visible()
