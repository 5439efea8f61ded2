"""The operator beside training-operator 1.9 on the same real control plane. `./dev bench operator` starts it, in a network
of its own (`unshare --net`), so that fixed ports and the peer's Service address belong to nobody else."""

import argparse
import datetime
import signal
import subprocess
import sys
import time
import traceback

import parts
import report
import systems

OURS, PEER = systems.SYSTEMS


def plan(options):
    """Part, system, what to call: alternating, so that a slow minute of the machine hits both."""
    steps = []
    for _ in range(options.repeats):
        steps += [(f"{options.small} jobs", system, lambda s: parts.burst(s, options.small, 600)) for system in (OURS, PEER)]
    if options.medium:
        steps += [(f"{options.medium} jobs", system, lambda s: parts.burst(s, options.medium, 1500)) for system in (OURS, PEER)]
    if options.large:
        steps.append((f"{options.large} jobs", OURS, lambda s: parts.burst(s, options.large, 1500)))
    if options.fleet:
        steps.append((f"fleet of {options.fleet}", OURS, lambda s: parts.fleet(s, options.fleet, options.away)))
    steps += [("one at a time", system, lambda s: parts.one_at_a_time(s, options.singles)) for system in (OURS, PEER)]
    steps += [("failed Pod", system, lambda s: parts.failed_pod(s, options.failures)) for system in (OURS, PEER)]
    steps += [("start", system, lambda s: parts.start_ups(s, options.starts)) for system in (OURS, PEER)]
    return [step for step in steps if not options.only or any(word in f"{step[0]} {step[1].name}" for word in options.only)]


def parse():
    parser = argparse.ArgumentParser(prog="./dev bench operator", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes, one of each: minutes, to see that it works")
    parser.add_argument("--small", type=int, help="jobs of the burst that is repeated (100)")
    parser.add_argument("--repeats", type=int, help="how often (3)")
    parser.add_argument("--medium", type=int, help="jobs of the burst that is done once (500; 0: none)")
    parser.add_argument("--large", type=int, help="jobs of ours alone (1,000; 0: none)")
    parser.add_argument("--fleet", type=int, help="jobs of ours that run all at once, while the API server goes away (2,000; 0: none)")
    parser.add_argument("--away", type=int, help="for so many seconds (180)")
    parser.add_argument("--singles", type=int, help="jobs one at a time (30)")
    parser.add_argument("--failures", type=int, help="failed Pods (10)")
    parser.add_argument("--starts", type=int, help="starts of each kind (3)")
    parser.add_argument("--only", nargs="+", default=[], help="parts or operators whose names have one of these words")
    parser.add_argument("--results", required=True, help="folder for operator.md and operator.json")
    options = parser.parse_args()
    full = {"small": 100, "repeats": 3, "medium": 500, "large": 1000, "fleet": 2000, "away": 180, "singles": 30, "failures": 10, "starts": 3}
    quick = {"small": 10, "repeats": 1, "medium": 0, "large": 0, "fleet": 0, "away": 10, "singles": 3, "failures": 2, "starts": 1}
    for name, size in (quick if options.quick else full).items():
        if getattr(options, name) is None:
            setattr(options, name, size)
    return options


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["ip", "address", "add", f"{PEER.address}/32", "dev", "lo"], check=True)
    options = parse()
    about = {"when": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
             "machine": report.machine(), "versions": report.versions(), "sizes": vars(options)}
    steps, failures = plan(options), []
    measured = f"{about['when']}, evaljob {about['versions']['evaljob']}"
    results = {}
    if options.only and (earlier := report.read(options.results)):  # the other parts stay as they were measured
        about, results = earlier
        results = {key: answers for key, answers in results.items() if key not in {(part, system.name) for part, system, _ in steps}}
    for part, system, measure in steps:
        begin = time.monotonic()
        try:
            answer = measure(system)
            results.setdefault((part, system.name), []).append({**answer, "measured": measured})
            said = "done"
        except Exception as error:  # the others are worth having all the same
            said = f"failed: {type(error).__name__}: {error}"
            failures.append(f"{part}, {system.name}: {said}")
            traceback.print_exc()
        print(f"{part}, {system.name}: {said} in {time.monotonic() - begin:.0f} s", file=sys.stderr, flush=True)
        path = report.write(options.results, results, about, failures)  # what there is, should this be ended early
    print(path.read_text())
    sys.exit(1 if failures else 0)


main()
