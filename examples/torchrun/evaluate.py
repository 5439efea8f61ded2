#!/usr/bin/env python3
"""Evaluates a TorchScript model on the test images of Fashion-MNIST: any number of processes, under torchrun.

Nothing here knows of EvalJob but one variable, EVALJOB_OUTPUT_DIR: the folder for this process's lines. It is a common
PyTorch script otherwise; torchrun gives each process its RANK and WORLD_SIZE.
"""

import gzip
import json
import os
import pathlib

import numpy
import torch
import torch.distributed
from torch.utils.data import DataLoader, Dataset
from torch.utils.data.distributed import DistributedSampler

IMAGES = "/usr/share/datasets/fashion-mnist/t10k-images-idx3-ubyte.gz"
MODEL = pathlib.Path(__file__).resolve().parent.parent / "fashion-mnist" / "model.pt"
BATCH = 64


class Images(Dataset):
    """Each sample with its id: its number in the file."""

    def __init__(self, path):
        with gzip.open(path) as file:
            content = file.read()
        self.pixels = numpy.frombuffer(content, numpy.uint8, offset=16).reshape(-1, 1, 28, 28)

    def __len__(self):
        return len(self.pixels)

    def __getitem__(self, index):
        return index, torch.from_numpy(self.pixels[index].astype(numpy.float32) / 255)


def main():
    torch.set_num_threads(1)
    torch.distributed.init_process_group("gloo")
    rank = torch.distributed.get_rank()
    images = Images(IMAGES)
    # To give all ranks the same number it repeats samples where they do not divide; the merge counts each once.
    sampler = DistributedSampler(images, shuffle=False)
    model = torch.jit.load(str(MODEL), map_location="cpu").eval()

    folder = pathlib.Path(os.environ["EVALJOB_OUTPUT_DIR"])
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / f"rank-{rank}.jsonl", "w", encoding="utf-8") as lines, torch.inference_mode():
        for ids, batch in DataLoader(images, batch_size=BATCH, sampler=sampler):
            confidences, classes = model(batch).softmax(dim=1).max(dim=1)
            for sample, prediction, confidence in zip(ids.tolist(), classes.tolist(), confidences.tolist()):
                line = {"id": sample, "prediction": prediction, "confidence": round(confidence, 6)}
                lines.write(json.dumps(line) + "\n")

    torch.distributed.barrier()
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
