#!/usr/bin/env python3
"""Writes reference.jsonl: what PyTorch answers with model.pt to each question of questions.tsv; and
reference-choices.jsonl: which of the texts in choices.tsv it finds likeliest, and likeliest per byte.

It does so in another way than the runner: with the network of model.py, one question at a time, without padding and
without a cache, each token from the whole text before it. The first line is a header with the scores. Each further line
is one sample; `margin` is by how much its closest decision was taken. Numbers can differ in their last digits from one
machine or batch to another: the header's list `exempt` names the samples whose margin is so small (below 1e-3) that
their prediction may differ with them.
"""

import argparse
import base64
import collections
import csv
import json
import pathlib

import numpy
import torch

import model
import png
import scenes

SMALL_MARGIN = 1e-3


def read_questions(path):
    """The rows as dictionaries, each with its own picture."""
    csv.field_size_limit(1 << 24)
    with open(path, encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    images = {row["index"]: row["image"] for row in rows}
    for row in rows:
        row["pixels"] = png.decode(base64.b64decode(row["image"] if len(row["image"]) > 64 else images[row["image"]]))
    return rows


def answer(network, words, question, pixels):
    """The answer, and by how much the closest of its tokens was the best."""
    prompt = words.encode(question)
    image = torch.from_numpy(numpy.array(pixels)).view(1, 1, *pixels.shape)
    said, margin = [], float("inf")
    while len(said) < model.ANSWER:
        text = torch.tensor([prompt + said])
        best = network(text, torch.tensor([text.size(1)]), image)[0, -1].topk(2)
        margin = min(margin, (best.values[0] - best.values[1]).item())
        if best.indices[0] == model.END:
            break
        said.append(best.indices[0].item())
    return words.decode(said), round(margin, 6)


def choose(network, words, question, options, pixels):
    """The letters of the likeliest option, and of the likeliest per byte; by how much the closer was the best."""
    prompt = words.encode(question)
    image = torch.from_numpy(numpy.array(pixels)).view(1, 1, *pixels.shape)
    whole = []
    for option in options:
        tokens = words.encode(option)
        text = torch.tensor([prompt + tokens])
        logs = network(text, torch.tensor([text.size(1)]), image)[0].log_softmax(1)[len(prompt) - 1:-1]
        whole.append(logs.gather(1, torch.tensor(tokens).unsqueeze(1)).sum().item())
    letters, margins = [], []
    for scores in (whole, [score / len(option.encode()) for score, option in zip(whole, options)]):
        best, second = sorted(scores, reverse=True)[:2]
        letters.append("ABCD"[scores.index(best)])
        margins.append(best - second)
    return *letters, round(min(margins), 6)


def write(path, lines, right, questions, model_path):
    """right: lists of booleans, by metric and group."""
    header = {
        "model_sha256": scenes.idx.sha256(model_path),
        "questions_sha256": scenes.idx.sha256(questions),
        "torch": torch.__version__,
        "samples": len(lines),
        "metrics": {metric: {group: f"{sum(marks) / len(marks):.6f}" for group, marks in sorted(groups.items())}
                    for metric, groups in right.items()},
        "exempt": [line["id"] for line in lines if line["margin"] < SMALL_MARGIN],
    }
    texts = [json.dumps(line, separators=(",", ":")) + "\n" for line in (header, *lines)]
    try:
        pathlib.Path(path).write_text("".join(texts), encoding="utf-8", newline="\n")
    except OSError as error:
        scenes.idx.fail(f"cannot write {path} ({error.strerror}): name a writable folder with --out")
    print(f"{path}: {len(lines)} samples, {header['metrics']}, {len(header['exempt'])} exempt")


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Answer the questions with PyTorch.")
    parser.add_argument("--data", default=str(here), help="folder of the two .tsv files (default: this script's)")
    parser.add_argument("--model", default=str(here / "model.pt"), help="default: model.pt beside this script")
    parser.add_argument("--out", default=str(here), help="folder (default: this script's)")
    arguments = parser.parse_args()

    torch.set_num_threads(1)
    network, description = model.load(arguments.model)
    words = model.Vocabulary(json.loads(description)["tokens"])
    data, out = pathlib.Path(arguments.data), pathlib.Path(arguments.out)
    answers, choices = [], []
    right = {metric: collections.defaultdict(list) for metric in ("exact_match", "accuracy", "normalized_accuracy")}

    def mark(metric, row, good):
        for group in ("", row["category"]):
            right[metric][group].append(good)

    with torch.inference_mode():
        for row in read_questions(data / "questions.tsv"):
            said, margin = answer(network, words, row["question"], row["pixels"])
            answers.append({"id": row["index"], "prediction": said, "margin": margin})
            mark("exact_match", row, said == row["answer"])
        for row in read_questions(data / "choices.tsv"):
            options = [row[letter] for letter in "ABCD"]
            said, normalized, margin = choose(network, words, row["question"], options, row["pixels"])
            choices.append({"id": row["index"], "prediction": said, "normalized": normalized, "margin": margin})
            mark("accuracy", row, said == row["answer"])
            mark("normalized_accuracy", row, normalized == row["answer"])
    of_choices = {metric: right[metric] for metric in ("accuracy", "normalized_accuracy")}
    write(out / "reference.jsonl", answers, {"exact_match": right["exact_match"]}, data / "questions.tsv", arguments.model)
    write(out / "reference-choices.jsonl", choices, of_choices, data / "choices.tsv", arguments.model)


if __name__ == "__main__":
    main()
