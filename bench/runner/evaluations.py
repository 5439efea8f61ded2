"""The two examples that are evaluated with PyTorch: the same files, models, tokens and answers as the runner's. An object
has a sample for each place, makes a batch of several, and predicts."""
import base64
import csv
import json
import sys
from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
sys.path[:0] = [str(EXAMPLES / "fashion-mnist"), str(EXAMPLES / "vision-language")]

import torch  # noqa: E402

import idx  # noqa: E402
import model as vision_language  # noqa: E402
import png  # noqa: E402


class Fashion:
    """10,000 images of 28 x 28 and a classifier."""

    def __init__(self):
        self.module = torch.jit.load(EXAMPLES / "fashion-mnist/model.pt", map_location="cpu").eval()
        self.images, _ = idx.read_split(idx.DEFAULT_FOLDER, "t10k")
        self.ids = [str(place) for place in range(len(self.images))]

    def __len__(self):
        return len(self.ids)

    def __getitem__(self, place):
        return torch.tensor(self.images[place]).unsqueeze(0)

    @staticmethod
    def together(samples):
        return torch.stack(samples)

    @torch.inference_mode()
    def predict(self, images):
        return self.module(images.float().div_(255)).argmax(1).tolist()

    @staticmethod
    def evaluation(batch_size):
        """For the runner."""
        return {"model": {"format": "TorchScript", "path": str(EXAMPLES / "fashion-mnist/model.pt")},
                "datasets": [{"name": "fashion-mnist", "format": "IDX",
                              "path": f"{idx.DEFAULT_FOLDER}/t10k-images-idx3-ubyte.gz",
                              "labelsPath": f"{idx.DEFAULT_FOLDER}/t10k-labels-idx1-ubyte.gz",
                              "task": {"type": "Classification"}}],
                "inference": {"device": "CPU", "maxBatchSize": batch_size, "threadsPerRank": 1}}


class Vision:
    """1,000 questions about pictures and a model that writes its answers token by token, with a cache."""

    def __init__(self):
        extra = {"evaljob.json": ""}
        self.module = torch.jit.load(EXAMPLES / "vision-language/model.pt", map_location="cpu", _extra_files=extra).eval()
        self.about = json.loads(extra["evaljob.json"])
        self.words = vision_language.Vocabulary(self.about["tokens"])
        csv.field_size_limit(1 << 24)
        with open(EXAMPLES / "vision-language/questions.tsv", encoding="utf-8", newline="") as file:
            self.rows = list(csv.DictReader(file, delimiter="\t"))
        self.ids = [row["index"] for row in self.rows]
        self.image_of = {row["index"]: row["image"] for row in self.rows}

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, place):
        row = self.rows[place]
        image = row["image"] if len(row["image"]) > 64 else self.image_of[row["image"]]
        return self.words.encode(row["question"]), torch.tensor(png.decode(base64.b64decode(image))).unsqueeze(0)

    def together(self, samples):
        longest = max(len(tokens) for tokens, _ in samples)
        tokens = torch.tensor([tokens + [self.about["pad"]] * (longest - len(tokens)) for tokens, _ in samples])
        return tokens, torch.tensor([len(tokens) for tokens, _ in samples]), torch.stack([image for _, image in samples])

    @torch.inference_mode()
    def predict(self, batch):
        scores, cache = self.module.prefill(*batch)
        texts, ended = [[] for _ in batch[1]], [False] * len(batch[1])
        for place in range(self.about["maxNewTokens"]):
            best = scores.argmax(1).tolist()
            ended = [done or token in self.about["stop"] for done, token in zip(ended, best)]
            for text, done, token in zip(texts, ended, best):
                if not done:
                    text.append(token)
            if all(ended) or place + 1 == self.about["maxNewTokens"]:
                break
            last = [self.about["pad"] if done else token for done, token in zip(ended, best)]
            scores, cache = self.module.step(torch.tensor(last), cache)
        return [self.words.decode(text) for text in texts]

    @staticmethod
    def evaluation(batch_size):
        return {"model": {"format": "TorchScript", "path": str(EXAMPLES / "vision-language/model.pt")},
                "datasets": [{"name": "questions", "format": "TSV", "path": str(EXAMPLES / "vision-language/questions.tsv"),
                              "task": {"type": "Generation"}}],
                "inference": {"device": "CPU", "maxBatchSize": batch_size, "threadsPerRank": 1}}


KINDS = {"fashion": Fashion, "vision": Vision}
