"""One node of the runner, started as the operator starts it in a Pod, and what its shard logs tell."""
import hashlib
import json
import os
import resource
import shutil
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path


def timed(command: list, **options) -> dict:
    """Runs a program: the seconds it took, those of CPU that it and its children used, and what it printed."""
    def cpu() -> float:
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    cpu_before, begun = cpu(), time.perf_counter()
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    took = time.perf_counter() - begun
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}:\n{done.stdout}")
    return {"seconds": took, "cpu": cpu() - cpu_before, "printed": done.stdout}


def frames(log: bytes):
    at = 8
    while at < len(log):
        length, _, kind = struct.unpack_from("<IIc", log, at)
        yield kind, log[at + 9:at + 9 + length]
        at += 9 + length


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def told(folder: Path, evaluation: dict) -> dict:
    """What the operator gives by the run's Secret, as files in `folder`."""
    spec = json.dumps(evaluation)
    for name, content in (("spec", spec), ("token", "token")):
        (folder / name).write_text(content)
    return {"EVALJOB_RUN_FOLDER": str(folder), "EVALJOB_SPEC_SHA256": hashlib.sha256(spec.encode()).hexdigest()}


def environment_of(output: Path, evaluation: dict, ranks: int) -> dict:
    sizes = {name: str(ranks) for name in ("WORLD_SIZE", "LOCAL_WORLD_SIZE", "NPROC_PER_NODE")}
    zero = {name: "0" for name in ("RANK", "LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "EVALJOB_ATTEMPT")}
    return {**os.environ, **sizes, **zero, "NNODES": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()),
            "EVALJOB_NAME": "bench", "EVALJOB_UID": "bench", "EVALJOB_RUN_ID": "bench",
            "EVALJOB_OUTPUT_DIR": str(output / "runs/bench/node-0/attempt-0"), "EVALJOB_SHARED_DIR": str(output),
            **told(output.parent, evaluation), "EVALJOB_POD_IP": "127.0.0.1", "EVALJOB_LOG": "warn",
            "EVALJOB_TERMINATION_LOG": str(output.parent / "termination")}


def evaluate(binaries: Path, folder: Path, evaluation: dict, ranks: int = 1, merge: bool = False) -> dict:
    """Seconds: "whole" from the start of the program to its end, with `merge` to that of the merge; "loop" from the
    beginning of the first batch to the end of the last one. "batches": when each began and ended, in µs. Predictions by
    sample id."""
    output = folder / "output"
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir()
    environment = environment_of(output, evaluation, ranks)
    parts = [timed([binaries / "evaljob-runner", "launch"], env=environment)]
    if merge:
        by_hand = {name: value for name, value in environment.items() if name != "EVALJOB_SPEC_SHA256"}
        parts.append(timed([binaries / "evaljob-runner", "merge"], env=by_hand))
    batches, predictions = [], {}
    for log in output.rglob("*.shard"):
        for kind, payload in frames(log.read_bytes()):
            if kind == b"B":
                batches.append(tuple(json.loads(payload)[3:5]))
            elif kind == b"R":
                record = json.loads(payload)
                predictions[record[1]] = record[5]
    return {"whole": sum(part["seconds"] for part in parts), "cpu": sum(part["cpu"] for part in parts),
            "loop": (max(end for _, end in batches) - min(begin for begin, _ in batches)) / 1e6, "batches": sorted(batches),
            "predictions": predictions}


def planned_batches(folder: Path) -> list[list[int]]:
    """The batches of the last evaluation in `folder`, by the samples' places in their dataset."""
    with open(folder / "output/manifest.jsonl", encoding="utf-8") as file:
        header, *lines = map(json.loads, file)
    return lines[header["samples"]:]
