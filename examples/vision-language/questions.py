#!/usr/bin/env python3
"""Writes questions.tsv and choices.tsv: pictures of Fashion-MNIST's test items with questions and answers, in
VLMEvalKit's form. In choices.tsv the answer is the letter of one of four texts.

A picture that several questions share stands in the row of the first one; the others name that row's index. The same
seed gives the same file.
"""

import argparse
import base64
import csv
import io
import pathlib

import numpy

import png
import scenes

COLUMNS = ["index", "image", "question", "answer", "category", "l2-category"]
LETTERS = "ABCD"


def image_of(picture):
    return base64.b64encode(png.encode(picture)).decode()


def rows(items, random, count):
    index = 0
    while index < count:
        picture, cells = items.draw(random)
        asked = scenes.questions(cells, random)
        first, image = str(index), image_of(picture)
        shown = sum(cell != scenes.NOTHING for cell in cells)
        for question in [asked[i] for i in random.permutation(len(asked))][:count - index]:
            yield [index, image, question.text, question.answer, question.kind, f"{scenes.NUMBERS[shown]} shown"]
            image = first
            index += 1


def choices(items, random, count):
    """Pictures of one item, with four names."""
    index = 0
    while index < count:
        picture, cells = items.draw(random)
        labels = [cell for cell in cells if cell != scenes.NOTHING]
        if len(labels) > 1:
            continue
        others = random.permutation([label for label in range(len(scenes.NAMES)) if label != labels[0]])
        options = random.permutation([labels[0], *others[:3]]).tolist()
        letter = LETTERS[options.index(labels[0])]
        yield [index, image_of(picture), "what is this?", letter, "what", "one shown", *(scenes.NAMES[o] for o in options)]
        index += 1


def write(path, columns, lines):
    text = io.StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(lines)
    try:
        pathlib.Path(path).write_text(text.getvalue(), encoding="utf-8", newline="\n")
    except OSError as error:
        scenes.idx.fail(f"cannot write {path} ({error.strerror}): name a writable folder with --out")
    print(f"{path}: sha256 {scenes.idx.sha256(path)}")


def main():
    parser = argparse.ArgumentParser(description="Write questions about pictures of Fashion-MNIST's test items.")
    parser.add_argument("--data", default=scenes.idx.DEFAULT_FOLDER, help="folder of the four .gz files (default: %(default)s)")
    parser.add_argument("--out", default=str(pathlib.Path(__file__).resolve().parent), help="folder (default: this script's)")
    parser.add_argument("--count", type=int, default=1000, help="questions (default: %(default)s); a fifth as many choices")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    arguments = parser.parse_args()

    items, random = scenes.Items(arguments.data, "t10k"), numpy.random.default_rng(arguments.seed)
    folder = pathlib.Path(arguments.out)
    write(folder / "questions.tsv", COLUMNS, rows(items, random, arguments.count))
    write(folder / "choices.tsv", [*COLUMNS, *LETTERS], choices(items, random, arguments.count // 5))


if __name__ == "__main__":
    main()
