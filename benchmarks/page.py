"""What is measured, as it stands in docs/performance.md: each table between marks of its own."""

from __future__ import annotations

import platform
import re
from datetime import date
from pathlib import Path

import psutil


PERFORMANCE = Path(__file__).parent.parent / "docs" / "performance.md"


def put(mark: str, text: str) -> None:
    """Replace what stands between the marks."""
    between = re.compile(rf"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
    page = PERFORMANCE.read_text(encoding="utf-8")
    PERFORMANCE.write_text(between.sub(lambda found: f"{found[1]}{text}\n{found[2]}", page), encoding="utf-8")


def about(today: date) -> str:
    """What was measured, where and when."""
    cpu = platform.processor() or platform.machine()
    model = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text()) if Path("/proc/cpuinfo").exists() else None
    return (
        f"Measured on {today} with {platform.python_implementation()} {platform.python_version()} on {platform.system()}, "
        f"{psutil.cpu_count()} cores, {model[1] if model else cpu}."
    )
