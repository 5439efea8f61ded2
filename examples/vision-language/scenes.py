"""Pictures of one to four items of Fashion-MNIST, and questions about them with their answers."""

import dataclasses
import pathlib
import sys

import numpy

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "fashion-mnist"))
import idx  # noqa: E402  it reads the data files

ITEM = 28  # pixels
SIDE = 2 * ITEM
CELLS = 4  # two rows of two: 0 1 / 2 3
NOTHING = 10  # beside the ten labels: an empty cell

ONE = ["a t-shirt", "a pair of trousers", "a pullover", "a dress", "a coat", "a sandal", "a shirt", "a sneaker", "a bag",
       "an ankle boot"]
NAMES = ["t-shirt", "pair of trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "ankle boot"]
MANY = ["t-shirts", "pairs of trousers", "pullovers", "dresses", "coats", "sandals", "shirts", "sneakers", "bags",
        "ankle boots"]
NUMBERS = ["none", "one", "two", "three", "four"]


@dataclasses.dataclass
class Question:
    kind: str
    text: str
    answer: str


class Items:
    """The images of a split, by label."""

    def __init__(self, folder, split):
        self.images, labels = idx.read_split(folder, split)
        self.of_label = [numpy.flatnonzero(labels == label) for label in range(len(NAMES))]

    def draw(self, random):
        """A picture (uint8, SIDE x SIDE) and what its cells hold: labels, or NOTHING."""
        count = random.choice(CELLS, p=[0.2, 0.4, 0.2, 0.2]) + 1
        labels = random.integers(len(NAMES), size=count)
        if count == 2 and random.random() < 0.25:
            labels[1] = labels[0]
        picture = numpy.zeros((SIDE, SIDE), numpy.uint8)
        cells = [NOTHING] * CELLS
        for cell, label in zip(sorted(random.choice(CELLS, size=count, replace=False)), labels):
            image = self.images[random.choice(self.of_label[label])]
            top, left = ITEM * (cell // 2), ITEM * (cell % 2)
            picture[top:top + ITEM, left:left + ITEM] = image
            cells[cell] = int(label)
        return picture, cells


def listed(labels):
    """"a bag, a coat and a dress"."""
    texts = [ONE[label] for label in labels]
    return texts[0] if len(texts) == 1 else ", ".join(texts[:-1]) + " and " + texts[-1]


def questions(cells, random):
    """One question of every kind that suits the picture, in the order of their kinds' names."""
    labels = [label for label in cells if label != NOTHING]
    wanted = labels[0] if random.random() < 0.7 else int(random.integers(len(NAMES)))
    asked = [
        Question("count", "how many items are there?", NUMBERS[len(labels)]),
        Question("count", f"how many {MANY[wanted]} are there?", NUMBERS[labels.count(wanted)]),
        Question("describe", "describe the picture.", listed(labels)),
    ]
    del asked[int(random.integers(2))]  # one of the two that count
    if len(labels) == 1:
        asked.append(Question("what", "what is this?", NAMES[labels[0]]))
    if len(labels) == 2:
        one, other = labels
        answer = f"yes, both are {MANY[one]}" if one == other else f"no, one is {ONE[one]} and the other is {ONE[other]}"
        asked.append(Question("compare", "are the two items the same?", answer))
        columns = [cell % 2 for cell in range(CELLS) if cells[cell] != NOTHING]
        if one != other and columns[0] != columns[1]:
            side = "left" if columns[0] == 0 else "right"
            if random.random() < 0.5:
                one, other, side = other, one, "right" if side == "left" else "left"
            asked.append(Question("side", f"is the {NAMES[one]} left or right of the {NAMES[other]}?", side))
    return sorted(asked, key=lambda question: question.kind)


def words(text):
    """The text in pieces that are tokens: words and punctuation, each with the space in front of it."""
    pieces, start = [], 0
    for at in range(1, len(text) + 1):
        if at == len(text) or text[at] == " " or text[at] in ",.?":
            pieces.append(text[start:at])
            start = at
    return pieces


def vocabulary():
    """Every piece that a question or an answer can have; the first two are padding and the end of an answer."""
    texts = ["how many items are there?", "describe the picture.", "what is this?", "are the two items the same?"]
    texts += NUMBERS + NAMES + ["left", "right"]
    for label, name in enumerate(NAMES):
        texts += [f"how many {MANY[label]} are there?", f"is the {name} left or right of the {name}?", listed([label] * 3),
                  f"yes, both are {MANY[label]}", f"no, one is {ONE[label]} and the other is {ONE[label]}"]
    return ["<pad>", "<end>"] + sorted({piece for text in texts for piece in words(text)})
