#!/usr/bin/env python3
"""Trains the network on pictures of Fashion-MNIST's training items and exports it as TorchScript, tokens included.

The committed model.pt was made by `python3 train.py`, all defaults, on one CPU thread of an x86-64 machine with AVX2, with
Python 3.11, torch 2.11.0 and numpy 2.4.6. After making a new one, run reference.py and put the new digest in evaljob.yaml.
"""

import argparse
import pathlib
import time

import numpy
import torch
from torch.nn import functional

import model
import scenes
import torchscript  # scenes has put its folder on the path

BATCH = 32


def batch(items, words, random):
    """Pictures, cells, tokens [N, T] of questions with their answers and the end, lengths of both, of the questions."""
    pictures, cells, texts, prompts = [], [], [], []
    for _ in range(BATCH):
        picture, held = items.draw(random)
        asked = scenes.questions(held, random)
        question = asked[int(random.integers(len(asked)))]
        prompt = words.encode(question.text)
        pictures.append(picture)
        cells.append(held)
        prompts.append(len(prompt))
        texts.append(prompt + words.encode(question.answer) + [model.END])
    longest = max(map(len, texts))
    tokens = torch.tensor([text + [model.PAD] * (longest - len(text)) for text in texts])
    images = torch.from_numpy(numpy.stack(pictures)).unsqueeze(1)
    return images, torch.tensor(cells), tokens, torch.tensor(list(map(len, texts))), torch.tensor(prompts)


def loss_of(network, classes, images, cells, tokens, lengths, prompts):
    seen = network.picture(images)
    # What each cell holds, from its own four vectors: so the encoder learns before the decoder can.
    grid = seen.view(-1, 2, 2, 2, 2, seen.size(2)).mean(dim=(2, 4)).flatten(1, 2)
    held = functional.cross_entropy(classes(grid).flatten(0, 1), cells.flatten())
    scores = network.scores(network.read(tokens, lengths, seen)[0])[:, :-1]
    at = torch.arange(tokens.size(1) - 1)
    answered = (at >= prompts.unsqueeze(1) - 1) & (at < lengths.unsqueeze(1) - 1)
    return functional.cross_entropy(scores[answered], tokens[:, 1:][answered]), held


def train(network, items, words, steps, random):
    classes = model.Linear(model.WIDTH, scenes.NOTHING + 1)
    parameters = [*network.parameters(), *classes.parameters()]
    optimizer = torch.optim.AdamW(parameters, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=3e-3, total_steps=steps)
    network.train()
    start, totals = time.monotonic(), numpy.zeros(2)
    for step in range(1, steps + 1):
        losses = loss_of(network, classes, *batch(items, words, random))
        optimizer.zero_grad()
        sum(losses).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        schedule.step()
        totals += [loss.item() for loss in losses]
        if step % 100 == 0 or step == steps:
            said, held = totals / (step % 100 or 100)
            print(f"step {step}/{steps}: answers {said:.4f}, cells {held:.4f}, {time.monotonic() - start:.0f} s", flush=True)
            totals[:] = 0


def trained(arguments, words):
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(arguments.seed)
    network = model.Network(len(words.tokens)).to(memory_format=torch.channels_last)
    items = scenes.Items(arguments.data, "train")
    train(network, items, words, arguments.steps, numpy.random.default_rng(arguments.seed))
    return network.fold()


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Train a small vision-language network and export it as TorchScript.")
    parser.add_argument("--data", default=scenes.idx.DEFAULT_FOLDER, help="folder of the four .gz files (default: %(default)s)")
    parser.add_argument("--out", default=str(here / "model.pt"), help="file to write (default: model.pt beside this script)")
    parser.add_argument("--steps", type=int, default=1200, help="batches of 32 (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    parser.add_argument("--weights", metavar="FILE", help="a TorchScript file whose network is exported anew, without training: after "
                        "a change to the methods of model.py")
    arguments = parser.parse_args()
    if arguments.steps < 1:
        parser.error("--steps must be at least 1")
    if not pathlib.Path(arguments.out).resolve().parent.is_dir():
        scenes.idx.fail(f"cannot write {arguments.out}: its folder does not exist; make it, or name another file with --out")

    words = model.vocabulary()
    if arguments.weights:
        network = model.load(arguments.weights)[0].to(memory_format=torch.channels_last)
    else:
        network = trained(arguments, words)
    torchscript.save(network, arguments.out, {"evaljob.json": model.description(words.tokens)})
    print(f"{arguments.out}: {pathlib.Path(arguments.out).stat().st_size} bytes, sha256 {scenes.idx.sha256(arguments.out)}")


if __name__ == "__main__":
    main()
