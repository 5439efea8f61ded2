"""Results of a benchmark: a page for people, and JSON with everything that was measured, in bench/results."""
import datetime
import json
import os
import platform
import statistics
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def spread(values: list[float], places: int = 3) -> str:
    """"median (lowest to highest)"."""
    return f"{statistics.median(values):.{places}f} ({min(values):.{places}f} to {max(values):.{places}f})"


def middle(values: list[float], places: int = 3) -> str:
    """"median (lower quarter to upper quarter)", for many values."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return f"{median:.{places}f} ({low:.{places}f} to {high:.{places}f})"


def about() -> dict:
    """Call it before anything is measured: the load is the machine's own then."""
    cpus = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    version = subprocess.run(["git", "-C", str(ROOT), "describe", "--always", "--dirty"], capture_output=True, text=True)
    return {"when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
            "cpu": cpus[0] if cpus else platform.machine(), "cores": os.cpu_count(), "kernel": platform.release(),
            "load": os.getloadavg()[0], "evaljob": version.stdout.strip() or "unknown"}


def write(name: str, title: str, command: str, where: dict, lines: list[str], measured) -> None:
    folder = ROOT / "bench/results"
    page = [f"# {title}", "", f"`{command}`, {where['when']}: {where['cpu']}, {where['cores']} cores, Linux {where['kernel']}; "
            f"load {where['load']:.1f} before; evaljob {where['evaljob']}.", "", *lines]
    (folder / f"{name}.md").write_text("\n".join(page) + "\n", encoding="utf-8")
    (folder / f"{name}.json").write_text(json.dumps({"about": where, "measured": measured}, indent=1) + "\n", encoding="utf-8")
    print("\n".join(page), flush=True)
