"""What the runner adds to a bare libtorch loop with the same model and the same batches, on one rank and one CPU thread.

usage: overhead.py BUILD_DIR [ROUNDS]    (./dev bench runner overhead)

Each round runs the bare loop, the runner, and the bare loop with libtorch's default executor, one after the other, each
round in another order: a machine that grows slower favours nobody. Rounds are short and many, for its moods last longer
than they do. A ratio is of one round. The predictions must be the same. Results go to bench/results/runner-overhead.{md,json}.
"""
import random
import statistics
import struct
import sys
import tempfile
from pathlib import Path

import models
import node
import results

BATCH = 32
SIDE = 28
CASES = [(0.01, 50_000), (0.1, 10_000), (1, 1_600), (10, 320)]  # ms a sample, samples
FIGURES = ("loop", "whole", "cpu", "quick", "between")

EXPLANATION = """The runner is `evaljob-runner launch` as a node of one rank: coordinator, leases, samples read and checked
against the manifest, records durable before they are reported. Its loop is from the beginning of its first batch to the
end of its last one, as its shard log has them; of the bare loop, samples are in memory. "Whole process" is from the start
of the program to its end on both sides, "CPU" all that the program and its children used. Medians of ROUNDS rounds, with
the quarters between which the middle half of them lies; each a ratio within one round. Neighbours on a shared machine can
double a round's time for seconds. So, beside it: what a batch took that was slower than a tenth of its round's, in the
quickest round, the runner's over the bare loop's; and how much of the runner's loop lies between the end of a batch and the
beginning of the next (median)."""


def write_idx(folder: Path, samples: int) -> None:
    make = random.Random(1)
    images = make.randbytes(samples * SIDE * SIDE)
    (folder / "images").write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, samples, SIDE, SIDE) + images)
    labels = bytes(make.randrange(10) for _ in range(samples))
    (folder / "labels").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, samples) + labels)


def quickest_tenth(batches: list[float]) -> float:
    """In ms, of µs."""
    return statistics.quantiles(batches, n=10)[0] / 1e3


def bare(binaries: Path, folder: Path, *executor: str) -> dict:
    ran = node.timed([binaries / "bench_bare_loop", folder / "model.pt", folder / "images", str(BATCH),
                      folder / "predictions", *executor])
    loop, *batches = map(float, ran["printed"].splitlines()[-1].split())  # libtorch may have had something to say before
    return {"whole": ran["seconds"], "cpu": ran["cpu"], "loop": loop, "quick": quickest_tenth(batches),
            "predictions": list((folder / "predictions").read_bytes())}


def runner(binaries: Path, folder: Path) -> dict:
    ran = node.evaluate(binaries, folder, {
        "model": {"format": "TorchScript", "path": str(folder / "model.pt")},
        "datasets": [{"name": "images", "format": "IDX", "path": str(folder / "images"),
                      "labelsPath": str(folder / "labels"), "task": {"type": "Classification"}}],
        "inference": {"device": "CPU", "maxBatchSize": BATCH, "threadsPerRank": 1}})
    batches = ran["batches"]
    between = sum(max(0, following[0] - one[1]) for one, following in zip(batches, batches[1:]))
    return {**ran, "quick": quickest_tenth([end - begin for begin, end in batches]), "between": between / ran["loop"] / 1e6,
            "predictions": [ran["predictions"][str(i)] for i in range(len(ran["predictions"]))]}


def measure(binaries: Path, folder: Path, wanted_ms: float, samples: int, rounds: int) -> dict:
    models.make(str(folder / "model.pt"), wanted_ms, BATCH)
    write_idx(folder, samples)
    measured = {"wanted_ms": wanted_ms, "samples": samples, "rounds": []}
    ways = [("bare", lambda: bare(binaries, folder)), ("runner", lambda: runner(binaries, folder)),
            ("optimised", lambda: bare(binaries, folder, "default"))]
    for _ in range(rounds):
        ways = ways[1:] + ways[:1]
        ran = {name: run() for name, run in ways}
        if ran["runner"]["predictions"] != ran["bare"]["predictions"]:
            sys.exit("the runner's predictions are not the bare loop's")
        measured["rounds"].append({name: {key: of[key] for key in FIGURES if key in of} for name, of in ran.items()})
    print(f"{wanted_ms} ms a sample: done", file=sys.stderr)
    return measured


def row(measured: dict) -> str:
    rounds, samples = measured["rounds"], measured["samples"]

    def over(key: str, beside: str) -> str:
        return results.middle([one["runner"][key] / one[beside][key] for one in rounds])
    quick = {way: min(one[way]["quick"] for one in rounds) for way in ("runner", "bare")}
    between = statistics.median(one["runner"]["between"] for one in rounds)
    ms = statistics.median(one["bare"]["loop"] * 1e3 / samples for one in rounds)
    return (f"| {measured['wanted_ms']} | {ms:.4f} | {samples:,} | {over('loop', 'bare')} | {quick['runner'] / quick['bare']:.3f} | "
            f"{between * 100:.2f} % | {over('loop', 'optimised')} | {over('whole', 'bare')} | {over('cpu', 'bare')} |")


def main() -> None:
    binaries = Path(sys.argv[1]).resolve() / "bin"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 11
    where = results.about()
    with tempfile.TemporaryDirectory(prefix="evaljob-bench-", dir=binaries.parent) as folder:
        measured = [measure(binaries, Path(folder), wanted_ms, samples, rounds) for wanted_ms, samples in CASES]
    results.write("runner-overhead", "The runner beside a bare libtorch loop", "./dev bench runner overhead", where, [
        "| ms a sample, wanted | the bare loop's | samples | the runner's loop over the bare one | its quickest batches over "
        "the bare loop's | of its loop, between batches | its loop over the bare one with libtorch's default executor | whole "
        "process over the bare one's | CPU of all its processes over the bare one's |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |", *map(row, measured), "",
        EXPLANATION.replace("\n", " ").replace("ROUNDS", str(rounds))], measured)


if __name__ == "__main__":
    main()
