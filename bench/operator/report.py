"""The results as a table for people, and as JSON with everything that was counted."""

import json
import os
import pathlib
import platform
import statistics
import subprocess

from cluster import ROOT, SETTINGS

MIB = 1 << 20


def machine():
    cpus = [line.split(":")[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    memory = next(int(line.split()[1]) // 1024 for line in open("/proc/meminfo") if line.startswith("MemTotal"))
    return {"cpu": cpus[0] if cpus else platform.machine(), "cores": os.cpu_count(), "memory_mib": memory,
            "kernel": platform.release(), "load": os.getloadavg()[0]}


def versions():
    def first_line(*argv):
        return subprocess.run(argv, capture_output=True, text=True).stdout.strip().splitlines()[0]
    def git(*argv):
        return subprocess.run(["git", "-C", str(ROOT), *argv], capture_output=True, text=True).stdout.strip()
    dirty = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!bench/results")  # these are written while it runs
    return {"evaljob": git("rev-parse", "--short", "HEAD") + ("-dirty" if dirty else ""),
            "training-operator": "v1.9.0", "kubernetes": first_line("kube-apiserver", "--version"), "etcd": first_line("etcd", "--version")}


def median_of(results, part, system, *keys):
    found = []
    for answer in results.get((part, system), []):
        value = answer
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            found.append(value)
    return statistics.median(found) if found else None


def text(value, unit):
    if value is None:
        return "–"
    if unit == "MiB":
        value /= MIB
    return (f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}") + f" {unit}".rstrip()


def burst_rows(jobs):
    targets = {"settled": "≤ 48 MiB" if jobs == 500 else "", "peak_rss": ""}
    at = f"{jobs:,} jobs: "
    return [(at + "CPU a job", "ms", ("cpu_ms_per_job",), "≤ 15 ms"),
            (at + "its API requests a job", "", ("requests_per_job",), "< 15"),
            (at + "API requests of all components a job", "", ("requests_of_all_per_job",), ""),
            (at + "CR → all Pods created, p50", "s", ("pods_made_p50_s",), ""),
            (at + "CR → all Pods created, p99", "s", ("pods_made_p99_s",), ""),
            (at + "all finished after", "s", ("all_finished_s",), ""),
            (at + "memory before, RSS", "MiB", ("idle", "rss"), "≤ 20 MiB"),
            (at + "memory before, RssAnon", "MiB", ("idle", "anon"), ""),
            (at + "memory at the peak, RSS", "MiB", ("peak_rss",), targets["peak_rss"]),
            (at + "memory at the peak, RssAnon", "MiB", ("peak_anon",), ""),
            (at + "memory 10 s after, RSS", "MiB", ("settled", "rss"), targets["settled"]),
            (at + "memory 10 s after, RssAnon", "MiB", ("settled", "anon"), "")]


OTHER_ROWS = {
    "one at a time": [("one job at a time: CR → first Pod created, p50", "ms", ("first_pod_ms_p50",), ""),
                      ("one job at a time: CR → all Pods created, p50", "ms", ("all_pods_ms_p50",), "≤ 100 ms"),
                      ("one job at a time: CR → all Pods created, p99", "ms", ("all_pods_ms_p99",), ""),
                      ("one job at a time: CR → finished, p50 (Pods run 1 s; ours merges, 1 s more)", "ms", ("finished_ms_p50",), "")],
    "failed Pod": [("failed Pod → replacement created, p50", "ms", ("replaced_ms_p50",), "≤ 50 ms"),
                   ("failed Pod → replacement created, p99", "ms", ("replaced_ms_p99",), "")],
    "start": [("start after a clean end → first Pod made", "ms", ("after_clean_end_ms_p50",), "< 100 ms"),
              ("start after kill -9, same identity", "ms", ("killed_same_identity_ms_p50",), "≤ 5,000 ms"),
              ("start after kill -9, another identity", "ms", ("killed_other_identity_ms_p50",), "≤ 20,000 ms"),
              ("start after kill -9, without leader election (as the peer is shipped)", "ms", ("killed_ms_p50",), "")]}


def markdown(results, about, failures):
    lines = ["# The operator beside training-operator 1.9", "",
             f"`./dev bench operator`, {about['when']}: {about['machine']['cpu']}, {about['machine']['cores']} cores for everything, "
             f"{about['machine']['memory_mib']:,} MiB, Linux {about['machine']['kernel']}; load {about['machine']['load']:.1f} before.",
             f"Versions: {', '.join(f'{name} {version}' for name, version in about['versions'].items())}.", "",
             "One real etcd and kube-apiserver; " + "; ".join(f"{name}: {how}" for name, how in SETTINGS.items()) + ".",
             "A job is 4 Pods: an EvalJob of 4 nodes, whose merge Pod runs besides; a PyTorchJob of a master and 3 workers.",
             "Jobs are created at 50 a second, CPU counts until 10 s after the last; both operators have the flags that they are shipped with.",
             "Medians where a part was repeated.", *measured_later(results, about), "",
             "| | evaljob-operator | training-operator | target |", "| --- | --- | --- | --- |"]
    for part in dict.fromkeys(part for part, _ in results if not part.startswith("fleet")):
        for name, unit, keys, target in (OTHER_ROWS.get(part) or burst_rows(int(part.split()[0]))):
            ours, peer = (median_of(results, part, system, *keys) for system in ("evaljob-operator", "training-operator"))
            if ours is not None or peer is not None:
                lines.append(f"| {name} | {text(ours, unit)} | {text(peer, unit)} | {target} |")
    for (part, _), answers in results.items():
        if part.startswith("fleet"):
            lines += fleet_table(answers[0])
    if failures:
        lines += ["", "Parts that failed:", ""] + [f"- {failure}" for failure in failures]
    return "\n".join(lines) + "\n"


def waited(below):
    """The bucket that a quantile lies in; the last one before +Inf ends at 60 s."""
    return "–" if not below else "more than 60 s" if below == "+Inf" else f"< {below} s"


def fleet_table(answer):
    jobs, away = answer["jobs"], answer["away_s"]
    lines = ["", f"## {jobs:,} EvalJobs of {4 * jobs:,} Pods at once, and the API server away for {away} s", "",
             "kube-apiserver is killed (kill -9) and started again; then all Pods succeed and every job is merged. "
             f"All Pods ran {answer['all_running_s']:.0f} s after the first job was created; all jobs had their score "
             f"{answer['ended']['all_finished_s']:.0f} s after the API server was started again; {answer['restarts']} restarts of nodes. "
             f"Starts again of the operator, which ends for want of its Lease: {answer['starts']}; the row counts the last process.", "",
             "| | s | CPU s | RSS | peak RSS | reconciles | requests by status | queued, p50 | p99 |", "| --- | --- | --- | --- | --- | --- | --- | --- | --- |"]
    for phase, name in (("made", "made, until all Pods run"), ("at_rest", "at rest"), ("away", "API server away"), ("ended", "back, until all are merged")):
        use = answer[phase]
        lines.append(f"| {name} | {use['seconds']:.0f} | {use['cpu_s']:.1f} | {text(use['rss'], 'MiB')} | {text(use['peak'], 'MiB')} | "
                     f"{sum(use['reconciles'].values()):,} | {', '.join(f'{count:,} × {code}' for code, count in sorted(use['requests'].items())) or '–'} | "
                     f"{waited(use['queued_p50_below_s'])} | {waited(use['queued_p99_below_s'])} |")
    return lines


def measured_later(results, about):
    """Parts that a run with --only has measured at another time than the rest."""
    whole = f"{about['when']}, evaljob {about['versions']['evaljob']}"
    found = {f"{part} ({answer['measured']})" for (part, _), answers in results.items() for answer in answers if answer.get("measured", whole) != whole}
    return ["Measured at another time: " + "; ".join(sorted(found)) + "."] if found else []


def read(folder):
    """What write() has left there: about and results; None where nothing lies."""
    path = pathlib.Path(folder) / "operator.json"
    if not path.exists():
        return None
    there = json.loads(path.read_text())
    about = {key: value for key, value in there.items() if key not in ("settings", "results", "failures")}
    return about, {(item["part"], item["system"]): item["answers"] for item in there["results"]}


def write(folder, results, about, failures):
    folder = pathlib.Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "operator.md").write_text(markdown(results, about, failures))
    answers = [{"part": part, "system": system, "answers": answers} for (part, system), answers in results.items()]
    (folder / "operator.json").write_text(json.dumps({**about, "settings": SETTINGS, "results": answers, "failures": failures}, indent=1) + "\n")
    return folder / "operator.md"
