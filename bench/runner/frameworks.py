"""The runner beside the same evaluations as loops in Python, with the same model files: as frameworks write them, and with
PyTorch's DataLoader and the runner's own batches. 2 ranks of one CPU thread on 2 cores on every side.

usage: frameworks.py BUILD_DIR [ROUNDS]    (./dev bench runner frameworks)

Each round runs all of them, in turn another one first; a ratio is of one round. The predictions must be the same.
Results go to bench/results/runner-frameworks.{md,json}.
"""
import json
import os
import pickle
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import evaluations
import node
import results

RANKS = 2
BATCH = 32
# A model's last digits can depend on what shares a batch: so much of the samples may be decided otherwise by batches of 1.
MOST_OTHERS = 0.001
PEERS = {"one": "batch size 1, a pickle every 10 samples", "loader-0": "DataLoader, the same batches",
         "loader-1": "DataLoader with a worker for each rank, the same batches"}

EXPLANATION = """RANKS ranks with one CPU thread each, on CORES cores, on every side, from the same TorchScript files with the same
executor. The runner is `evaljob-runner launch` and then `merge`: batches of at most BATCH are leased, records durable, the
result proven and published with its scores. Beside it: Python with torch VERSION, an operating-system process for each rank, samples or
batches by stride, no process group; whoever started them reads their pickles, looks for each sample, and writes the
predictions as JSON lines, without scores. Batch size 1: each rank writes its whole pickle anew every 10 samples, without fsync. DataLoader:
one pickle at the end. "Models loaded": from the first rank's first sample or batch to the last one's end, reading samples and
writing records or pickles included. "Start to result": from the start of the programs to the written result, imports,
models and merge included. "CPU": of all processes, over the same time. Medians of ROUNDS rounds with the lowest and the highest, each a ratio within one
round; more than 1 is in the runner's favour. Predictions from the same batches must be the same; of those from batches of 1 the table
says how many differ. The pictures are decoded by examples/vision-language/png.py, which does nothing but what these files need."""


def peer(name: str, way: str, batches: list, folder: Path) -> dict:
    """A peer's ranks, and the merge of what they have written, in this process."""
    (folder / "batches.json").write_text(json.dumps(batches))
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    own = time.process_time()
    script = Path(__file__).resolve().parent / "peer.py"
    ranks = [subprocess.Popen([sys.executable, script, name, way, str(rank), str(RANKS), folder], stdout=subprocess.PIPE,
                              text=True) for rank in range(RANKS)]
    printed = [rank.communicate()[0] for rank in ranks]
    if any(rank.returncode for rank in ranks):
        sys.exit(f"peer.py {name} {way} failed")
    predictions = {}
    for rank in range(RANKS):
        with open(folder / f"{rank}.pkl", "rb") as file:
            predictions.update(pickle.load(file))
    with open(folder / "predictions.jsonl", "w", encoding="utf-8") as file:
        for index, prediction in predictions.items():
            file.write(json.dumps({"id": index, "prediction": prediction}) + "\n")
    whole = time.perf_counter() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    times = [json.loads(text.splitlines()[-1]) for text in printed]
    return {"whole": whole, "loop": max(end for _, end in times) - min(begin for begin, _ in times),
            "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime + time.process_time() - own,
            "predictions": predictions}


def others(ours: dict, theirs: dict, way: str) -> int:
    """How many predictions differ; ends everything when that is no matter of last digits."""
    if ours.keys() != theirs.keys():
        sys.exit(f"{way} has other samples than the runner")
    differ = sum(ours[index] != theirs[index] for index in ours)
    if differ > (MOST_OTHERS * len(ours) if way == "one" else 0):
        sys.exit(f"{way}: {differ} of {len(ours)} predictions are not the runner's")
    return differ


def measure(name: str, binaries: Path, folder: Path, rounds: int) -> dict:
    evaluation = evaluations.KINDS[name].evaluation(BATCH)

    def runner() -> dict:
        return node.evaluate(binaries, folder, evaluation, RANKS, merge=True)
    expected = runner()["predictions"]  # not measured: this one finds nothing in the page cache
    batches = node.planned_batches(folder)
    ways = ["runner", *PEERS]
    measured = {"evaluation": name, "samples": len(expected), "rounds": [], "differ": dict.fromkeys(PEERS, 0)}
    for number in range(rounds):
        one_round = {}
        first = number % len(ways)
        for way in ways[first:] + ways[:first]:
            ran = runner() if way == "runner" else peer(name, way, batches, folder)
            if way == "runner" and ran["predictions"] != expected:
                sys.exit("two runs of the runner gave different predictions")
            if way != "runner":
                measured["differ"][way] = max(measured["differ"][way], others(expected, ran["predictions"], way))
            one_round[way] = {key: ran[key] for key in ("loop", "whole", "cpu")}
        measured["rounds"].append(one_round)
        print(f"{name}: round {number + 1} of {rounds} done", file=sys.stderr)
    return measured


def rows(measured: dict) -> list[str]:
    rounds, samples = measured["rounds"], measured["samples"]

    def rate(way: str) -> str:
        return f"{statistics.median(samples / one[way]['loop'] for one in rounds):,.0f}"

    def over(way: str, key: str) -> str:
        return results.spread([one[way][key] / one["runner"][key] for one in rounds], 2)

    def seconds(way: str) -> str:
        return f"{statistics.median(one[way]['whole'] for one in rounds):.2f}"
    return [f"| {measured['evaluation']} | {beside} | {rate('runner')} | {rate(way)} | {over(way, 'loop')} | {seconds('runner')} | "
            f"{seconds(way)} | {over(way, 'whole')} | {over(way, 'cpu')} | {measured['differ'][way]} of {samples:,} |"
            for way, beside in PEERS.items()]


def main() -> None:
    binaries = Path(sys.argv[1]).resolve() / "bin"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    cores = sorted(os.sched_getaffinity(0))[:RANKS]
    os.sched_setaffinity(0, cores)  # inherited by all that is started
    where = results.about()
    with tempfile.TemporaryDirectory(prefix="evaljob-bench-", dir=binaries.parent) as folder:
        measured = [measure(name, binaries, Path(folder), rounds) for name in evaluations.KINDS]
    explanation = EXPLANATION.replace("\n", " ")
    for word, value in (("RANKS", RANKS), ("CORES", len(cores)), ("BATCH", BATCH), ("ROUNDS", rounds),
                        ("VERSION", evaluations.torch.__version__)):
        explanation = explanation.replace(word, str(value))
    results.write("runner-frameworks", "The runner beside loops in Python", "./dev bench runner frameworks", where, [
        "| evaluation | beside | samples a second, models loaded: runner | theirs | runner over theirs | s from start to result: runner "
        "| theirs | theirs over runner | CPU, theirs over runner | predictions that differ |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        *[row for one in measured for row in rows(one)], "", explanation], measured)


if __name__ == "__main__":
    main()
