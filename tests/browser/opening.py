"""The real workbench in a process of its own, and a real browser to open it with."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, ViewportSize, sync_playwright


CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 360, "height": 800}
ROOT = Path(__file__).parents[2]


@contextmanager
def opened() -> Iterator[str]:
    """The address of a workbench that runs until the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "hooks", "workbench", "--port", str(port)]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL, cwd=ROOT) as process:
        try:
            base = f"http://127.0.0.1:{port}"
            _wait(base, process)
            yield base
        finally:
            process.terminate()


def _wait(base: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while process.poll() is None and time.monotonic() < deadline:
        try:
            requests.get(f"{base}/healthz", timeout=2)
        except requests.RequestException:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the workbench did not start")


@contextmanager
def browser() -> Iterator[Browser]:
    """Debian's Chromium without a window."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        try:
            yield chromium
        finally:
            chromium.close()


def visit(
    page: Page, base: str, fixture: str = "food-bound-deficiency", tab: str = "cards", language: str = "en", **also: str
) -> Page:
    """Open an example, and wait until it was decided on."""
    address = "&".join(
        f"{name}={value}" for name, value in {"fixture": fixture, "tab": tab, "language": language, **also}.items()
    )
    page.goto("about:blank")
    page.goto(f"{base}/workbench#{address}")
    page.locator("#panel").wait_for()
    return page
