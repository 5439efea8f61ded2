"""What the runner adds to a bare libtorch loop with the same model and the same batches, on one rank and one CPU thread.

usage: overhead.py BUILD_DIR [ROUNDS]    (./dev bench runner overhead)

Each round runs the bare loop, the runner, and the bare loop with libtorch's default executor, one after the other; a
ratio is of one round. The runner is `evaljob-runner launch` as a node of one rank: coordinator, leases, samples read and
checked against the manifest, records durable before they are reported. Its loop is from the beginning of its first
batch to the end of its last one, as its shard log has them; "whole process" is from the start of the program to its
end on both sides. The predictions must be the same.
"""
import json
import os
import random
import shutil
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import models

BATCH = 32
SIDE = 28
CASES = [(0.01, 100_000), (0.1, 30_000), (1, 8_000), (10, 1_000)]  # ms a sample, samples


def write_idx(folder: Path, samples: int) -> None:
    make = random.Random(1)
    images = make.randbytes(samples * SIDE * SIDE)
    (folder / "images").write_bytes(struct.pack(">BBBBIII", 0, 0, 8, 3, samples, SIDE, SIDE) + images)
    labels = bytes(make.randrange(10) for _ in range(samples))
    (folder / "labels").write_bytes(struct.pack(">BBBBI", 0, 0, 8, 1, samples) + labels)


def timed(command: list, **options) -> tuple[float, str]:
    begun = time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    took = time.perf_counter() - begun
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return took, done.stdout


def frames(log: bytes):
    at = 8
    while at < len(log):
        length, _, kind = struct.unpack_from("<IIc", log, at)
        yield kind, log[at + 9:at + 9 + length]
        at += 9 + length


def bare(binaries: Path, folder: Path, *executor: str) -> dict:
    whole, printed = timed([binaries / "bench_bare_loop", folder / "model.pt", folder / "images", str(BATCH),
                            folder / "predictions", *executor])
    return {"whole": whole, "loop": float(printed), "predictions": list((folder / "predictions").read_bytes())}


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def runner(binaries: Path, folder: Path) -> dict:
    output = folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    port = str(free_port())
    evaluation = {"model": {"format": "TorchScript", "path": str(folder / "model.pt")},
                  "datasets": [{"name": "images", "format": "IDX", "path": str(folder / "images"),
                                "labelsPath": str(folder / "labels"), "task": {"type": "Classification"}}],
                  "inference": {"device": "CPU", "maxBatchSize": BATCH, "threadsPerRank": 1}}
    one = {name: "1" for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "NNODES", "NPROC_PER_NODE")}
    zero = {name: "0" for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "EVALJOB_ATTEMPT")}
    environment = {**os.environ, **one, **zero, "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
                   "EVALJOB_NAME": "bench", "EVALJOB_UID": "bench", "EVALJOB_RUN_ID": "bench",
                   "EVALJOB_OUTPUT_DIR": str(output / "runs/bench/node-0/attempt-0"),
                   "EVALJOB_SHARED_DIR": str(output), "EVALJOB_EVAL": json.dumps(evaluation),
                   "EVALJOB_TOKEN": "token", "EVALJOB_POD_IP": "127.0.0.1", "EVALJOB_LOG": "warn",
                   "EVALJOB_TERMINATION_LOG": str(folder / "termination")}
    whole, _ = timed([binaries / "evaljob-runner", "launch"], env=environment)
    (log,) = output.rglob("*.shard")
    ends, predictions = [], {}
    for kind, payload in frames(log.read_bytes()):
        if kind == b"B":
            ends.append(json.loads(payload)[3:5])
        elif kind == b"R":
            record = json.loads(payload)
            predictions[int(record[1])] = record[5]
    loop = (max(end for _, end in ends) - min(begin for begin, _ in ends)) / 1e6
    return {"whole": whole, "loop": loop, "predictions": [predictions[i] for i in range(len(predictions))]}


def spread(values: list[float]) -> str:
    return f"{statistics.median(values):.3f} ({min(values):.3f} to {max(values):.3f})"


def row(binaries: Path, folder: Path, wanted_ms: float, samples: int, rounds: int) -> str:
    models.make(str(folder / "model.pt"), wanted_ms, BATCH)
    write_idx(folder, samples)
    loops, wholes, defaults, times = [], [], [], []
    for _ in range(rounds):
        first, ours, optimised = bare(binaries, folder), runner(binaries, folder), bare(binaries, folder, "default")
        if ours["predictions"] != first["predictions"]:
            sys.exit("the runner's predictions are not the bare loop's")
        times.append(first["loop"] * 1e3 / samples)
        loops.append(ours["loop"] / first["loop"])
        wholes.append(ours["whole"] / first["whole"])
        defaults.append(ours["loop"] / optimised["loop"])
    print(f"{wanted_ms} ms a sample: done", file=sys.stderr)
    return (f"| {wanted_ms} | {statistics.median(times):.4f} | {samples:,} | {spread(loops)} | {spread(defaults)} | "
            f"{spread(wholes)} |")


def main() -> None:
    binaries = Path(sys.argv[1]).resolve() / "bin"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 7
    print("| ms a sample, wanted | the bare loop's | samples | the runner's loop over the bare one | over the bare one with "
          "libtorch's default executor | whole process over the bare one's |\n| --- | --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory(prefix="evaljob-bench-", dir=binaries.parent) as folder:
        for wanted_ms, samples in CASES:
            print(row(binaries, Path(folder), wanted_ms, samples, rounds), flush=True)


if __name__ == "__main__":
    main()
