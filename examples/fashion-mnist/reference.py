#!/usr/bin/env python3
"""Writes reference.jsonl: what PyTorch predicts with model.pt for each of the 10,000 test images.

The first line is a header. Each further line is one sample, in the order of the data file: `prediction` is the class
with the best score, `margin` its score less the second-best one's. Numbers can differ in their last digits from one
machine or batch size to another; the header's list `exempt` names the samples whose margin is so small (below 1e-4) that
their prediction may differ with them.
"""

import argparse
import json
import pathlib

import numpy
import torch

import idx

SMALL_MARGIN = 1e-4


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Run model.pt over Fashion-MNIST's test images with PyTorch.")
    parser.add_argument("--data", default=idx.DEFAULT_FOLDER, help="folder of the four .gz files (default: %(default)s)")
    parser.add_argument("--model", default=str(here / "model.pt"), help="default: model.pt beside this script")
    parser.add_argument("--out", default=str(here / "reference.jsonl"), help="default: reference.jsonl beside this script")
    parser.add_argument("--batch", type=int, default=64, help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.batch < 1:
        parser.error("--batch must be at least 1")

    torch.set_num_threads(1)
    images, labels = idx.read_split(arguments.data, "t10k")
    try:
        module = torch.jit.load(arguments.model, map_location="cpu").eval()
    except (ValueError, RuntimeError) as error:
        idx.fail(f"cannot load {arguments.model}: make it with train.py, or name a TorchScript file with --model\n{error}")
    pixels = torch.from_numpy(images.astype(numpy.float32) / 255).unsqueeze(1)
    with torch.inference_mode():
        scores = torch.cat([module(batch) for batch in pixels.split(arguments.batch)])
    best = scores.topk(2, dim=1)
    predictions = best.indices[:, 0].tolist()
    margins = [round(margin, 6) for margin in (best.values[:, 0] - best.values[:, 1]).tolist()]
    right = sum(prediction == label for prediction, label in zip(predictions, labels.tolist()))

    header = {
        "model_sha256": idx.sha256(arguments.model),
        "torch": torch.__version__,
        "images_sha256": idx.sha256(pathlib.Path(arguments.data) / "t10k-images-idx3-ubyte.gz"),
        "samples": len(predictions),
        "accuracy": f"{right / len(predictions):.4f}",
        "exempt": [str(i) for i, margin in enumerate(margins) if margin < SMALL_MARGIN],
    }
    rows = ({"id": str(i), "prediction": p, "margin": m} for i, (p, m) in enumerate(zip(predictions, margins)))
    lines = [json.dumps(line, separators=(",", ":")) + "\n" for line in (header, *rows)]
    try:
        pathlib.Path(arguments.out).write_text("".join(lines), encoding="utf-8", newline="\n")
    except OSError as error:
        idx.fail(f"cannot write {arguments.out} ({error.strerror}): name a writable file with --out")
    print(f"{arguments.out}: {len(predictions)} samples, accuracy {header['accuracy']}, {len(header['exempt'])} exempt")


if __name__ == "__main__":
    main()
