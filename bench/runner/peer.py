"""One rank of an evaluation as frameworks write it in Python, for frameworks.py.

usage: peer.py EVALUATION WAY RANK WORLD FOLDER

EVALUATION is fashion or vision (evaluations.py). WAY is one of
  one        batch size 1, samples by stride; every 10 samples the whole pickle of this rank is written anew
  loader-N   the batches of FOLDER/batches.json by stride, from torch's DataLoader with N workers; one pickle at the end
Writes FOLDER/RANK.pkl, predictions by sample id, and prints when it began and ended, in Unix time.
"""
import json
import pickle
import sys
import time
from pathlib import Path

import torch
from torch.utils.data import DataLoader

import evaluations

SAMPLES_A_PICKLE = 10


def save(predictions: dict, path: Path) -> None:
    with open(path, "wb") as file:
        pickle.dump(predictions, file)


def one_by_one(evaluation, mine: range, path: Path) -> None:
    predictions = {}
    for count, place in enumerate(mine, 1):
        (predictions[evaluation.ids[place]],) = evaluation.predict(evaluation.together([evaluation[place]]))
        if count % SAMPLES_A_PICKLE == 0:
            save(predictions, path)
    save(predictions, path)


def by_loader(evaluation, batches: list[list[int]], workers: int, path: Path) -> None:
    predictions = {}
    loader = DataLoader(evaluation, batch_sampler=batches, num_workers=workers, collate_fn=evaluation.together)
    for places, batch in zip(batches, loader):
        predictions.update(zip([evaluation.ids[place] for place in places], evaluation.predict(batch)))
    save(predictions, path)


def main() -> None:
    name, way, rank, world, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), Path(sys.argv[5])
    torch.set_num_threads(1)
    path = folder / f"{rank}.pkl"
    with torch.jit.optimized_execution(False):  # as the runner has it: TorchScript as it stands
        evaluation = evaluations.KINDS[name]()
        begun = time.time()
        if way == "one":
            one_by_one(evaluation, range(rank, len(evaluation), world), path)
        else:
            batches = json.loads((folder / "batches.json").read_text())[rank::world]
            by_loader(evaluation, batches, int(way.removeprefix("loader-")), path)
        print(json.dumps([begun, time.time()]))


if __name__ == "__main__":
    main()
