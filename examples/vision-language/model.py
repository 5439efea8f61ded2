"""The network: an image encoder and a small decoder with a cache of keys and values.

A picture becomes 16 vectors; behind them come the vectors of the question's tokens and of the answer's. Each looks at
what stands before it, the picture's at each other. Layers are written out with functions, because torch writes the
constants of nn.Linear and its kin into a TorchScript file in an order that changes from run to run.
"""

import json
import math
from typing import List, Tuple

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

import scenes

WIDTH, HEADS, LAYERS = 96, 4, 2
PICTURE = 16  # vectors of a picture
PROMPT, ANSWER = 16, 24  # tokens at most
PAD, END = 0, 1


class Vocabulary:
    """Texts as tokens: at every place the longest token that fits."""

    def __init__(self, tokens):
        self.tokens = tokens
        self.numbers = {token: number for number, token in enumerate(tokens) if number not in (PAD, END)}
        self.longest = max(map(len, self.numbers))

    def encode(self, text):
        numbers = []
        while text:
            token = next(text[:n] for n in range(min(self.longest, len(text)), 0, -1) if text[:n] in self.numbers)
            numbers.append(self.numbers[token])
            text = text[len(token):]
        return numbers

    def decode(self, numbers):
        return "".join(self.tokens[number] for number in numbers)


class Linear(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / math.sqrt(inputs))
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight, self.bias)


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x, [x.size(-1)], self.weight, self.bias)


class Block(nn.Module):
    """Attention over what came before and over itself, then two dense layers."""

    def __init__(self):
        super().__init__()
        self.heads = HEADS
        self.norm1, self.norm2 = Norm(WIDTH), Norm(WIDTH)
        self.attend, self.gather = Linear(WIDTH, 3 * WIDTH), Linear(WIDTH, WIDTH)
        self.widen, self.narrow = Linear(WIDTH, 2 * WIDTH), Linear(2 * WIDTH, WIDTH)

    def split(self, x: Tensor) -> Tensor:  # [N, T, WIDTH] -> [N, HEADS, T, WIDTH / HEADS]
        return x.view(x.size(0), x.size(1), self.heads, x.size(2) // self.heads).transpose(1, 2)

    def forward(self, x: Tensor, keys: Tensor, values: Tensor, visible: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
        """keys and values [N, HEADS, L, …] of what came before; visible [N, 1, T or 1, L + T]: what may be looked at."""
        query, key, value = self.attend(self.norm1(x)).chunk(3, dim=-1)
        keys = torch.cat([keys, self.split(key)], dim=2)
        values = torch.cat([values, self.split(value)], dim=2)
        scores = torch.matmul(self.split(query), keys.transpose(2, 3)) / math.sqrt(keys.size(3))
        weights = scores.masked_fill(visible.logical_not(), -1e9).softmax(-1)
        x = x + self.gather(torch.matmul(weights, values).transpose(1, 2).flatten(2))
        return x + self.narrow(functional.gelu(self.widen(self.norm2(x)))), keys, values


class Convolution(nn.Module):
    def __init__(self, weight, bias):
        super().__init__()
        self.weight, self.bias = weight, bias

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(functional.max_pool2d(functional.conv2d(x, self.weight, self.bias, padding=1), 2))


class TrainedConvolution(nn.Module):
    """The same with batch normalisation; folded() is without."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.normalisation = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return functional.relu(functional.max_pool2d(self.normalisation(self.convolution(x)), 2))

    def folded(self):
        fused = fuse_conv_bn_eval(self.convolution.eval(), self.normalisation.eval())
        return Convolution(fused.weight, fused.bias)


def wide(part: Tensor, places: int) -> Tensor:
    """Keys or values [N, HEADS, L, …] with zeros behind them, so that there are so many."""
    return functional.pad(part, [0, 0, 0, places - part.size(2)])


class Network(nn.Module):
    """As docs/runner.md has it: prefill() reads picture and question, step() one more token of the answer; refill()
    reads others in the place of texts that have ended."""

    def __init__(self, tokens):
        super().__init__()
        self.convolutions = nn.ModuleList([TrainedConvolution(1, 16), TrainedConvolution(16, 32), TrainedConvolution(32, 64)])
        self.patches = nn.Parameter(torch.randn(WIDTH, 64, 3, 3) / math.sqrt(64 * 9))
        self.places = nn.Parameter(0.02 * torch.randn(PICTURE, WIDTH))
        self.positions = nn.Parameter(0.02 * torch.randn(PROMPT + ANSWER, WIDTH))
        self.embedding = nn.Parameter(torch.randn(tokens, WIDTH) / math.sqrt(WIDTH))
        self.blocks = nn.ModuleList([Block() for _ in range(LAYERS)])
        self.norm = Norm(WIDTH)

    def fold(self):
        self.convolutions = nn.ModuleList([convolution.folded() for convolution in self.convolutions])
        return self.requires_grad_(False).eval()

    def picture(self, images: Tensor) -> Tensor:  # uint8 [N, 1, 56, 56] -> [N, PICTURE, WIDTH]
        x = images.to(self.patches.dtype) / 255.0 * 2.0 - 0.5
        for convolution in self.convolutions:
            x = convolution(x)
        return functional.conv2d(x, self.patches, stride=2, padding=1).flatten(2).transpose(1, 2) + self.places

    def read(self, tokens: Tensor, lengths: Tensor, seen: Tensor) -> Tuple[Tensor, List[Tensor]]:
        """The texts' vectors [N, T, WIDTH], and the cache; `seen` is what picture() gives."""
        length, before = tokens.size(1), seen.size(1)
        x = torch.cat([seen, functional.embedding(tokens, self.embedding) + self.positions[:length]], dim=1)
        order = torch.arange(before + length, device=tokens.device)
        # The picture is seen by all; a token by itself and those behind it; padding by none.
        there = order.unsqueeze(0) < (lengths + before).unsqueeze(1)  # [N, keys]
        visible = (order.unsqueeze(0) <= order.unsqueeze(1)) | (order < before).unsqueeze(0)  # [queries, keys]
        visible = visible.unsqueeze(0) & there.unsqueeze(1)
        cache: List[Tensor] = []
        for block in self.blocks:
            nothing = block.split(x[:, :0])
            x, keys, values = block(x, nothing, nothing, visible.unsqueeze(1))
            cache += [keys, values]
        return x[:, before:], cache + [there, lengths]

    def scores(self, x: Tensor) -> Tensor:
        return functional.linear(self.norm(x), self.embedding)

    @torch.jit.export
    def prefill(self, tokens: Tensor, lengths: Tensor, images: Tensor) -> Tuple[Tensor, List[Tensor]]:
        """int64 [N, T], int64 [N], uint8 [N, 1, 56, 56] -> scores of the first token [N, tokens], cache."""
        x, cache = self.read(tokens, lengths, self.picture(images))
        last = (lengths - 1).view(-1, 1, 1).expand(-1, 1, x.size(2))
        return self.scores(x.gather(1, last).squeeze(1)), cache

    @torch.jit.export
    def step(self, tokens: Tensor, cache: List[Tensor]) -> Tuple[Tensor, List[Tensor]]:
        """int64 [N]: the token that follows each text -> scores of the one behind it, cache."""
        there, lengths = cache[-2], cache[-1]
        # A text that has ended may be given padding for longer than texts are.
        positions = self.positions[lengths.clamp(max=self.positions.size(0) - 1)]
        x = (functional.embedding(tokens, self.embedding) + positions).unsqueeze(1)
        there = torch.cat([there, torch.ones_like(there[:, :1])], dim=1)
        after: List[Tensor] = []
        for i, block in enumerate(self.blocks):
            x, keys, values = block(x, cache[2 * i], cache[2 * i + 1], there.unsqueeze(1).unsqueeze(1))
            after += [keys, values]
        return self.scores(x.squeeze(1)), after + [there, lengths + 1]

    @torch.jit.export
    def refill(self, tokens: Tensor, lengths: Tensor, images: Tensor, rows: Tensor,
               cache: List[Tensor]) -> Tuple[Tensor, List[Tensor]]:
        """prefill() of other texts, which get these rows, int64 [N], of the cache: their scores, the cache of all rows."""
        scores, fresh = self.prefill(tokens, lengths, images)
        there = cache[-2].index_fill(0, rows, False)
        used = there.any(0).nonzero().squeeze(1)  # places at which another row's text has something
        places = max(used.size(0), fresh[-2].size(1))
        after: List[Tensor] = []
        for i in range(len(cache) - 2):
            after.append(wide(cache[i].index_select(2, used), places).index_copy(0, rows, wide(fresh[i], places)))
        there = functional.pad(there.index_select(1, used), [0, places - used.size(0)])
        there = there.index_copy(0, rows, functional.pad(fresh[-2], [0, places - fresh[-2].size(1)]))
        return scores, after + [there, cache[-1].index_copy(0, rows, fresh[-1])]

    def forward(self, tokens: Tensor, lengths: Tensor, images: Tensor) -> Tensor:
        """Scores behind every token at once [N, T, tokens]: for training, and without a cache."""
        return self.scores(self.read(tokens, lengths, self.picture(images))[0])


def description(tokens):
    """The extra file of the TorchScript file: docs/runner.md."""
    return json.dumps({"format": 1, "tokens": tokens, "pad": PAD, "stop": [END], "prompt": "{question}", "channels": 1,
                       "height": scenes.SIDE, "width": scenes.SIDE, "maxPromptTokens": PROMPT, "maxNewTokens": ANSWER})


def load(path):
    """The network with the weights of a TorchScript file, and that file's description."""
    extra = {"evaljob.json": ""}
    try:
        scripted = torch.jit.load(path, map_location="cpu", _extra_files=extra)
    except (ValueError, RuntimeError) as error:
        scenes.idx.fail(f"cannot load {path}: make it with train.py, or name a TorchScript file with --model\n{error}")
    network = Network(scripted.embedding.size(0)).fold()
    network.load_state_dict(scripted.state_dict())
    return network, extra["evaljob.json"].decode()


def vocabulary():
    return Vocabulary(scenes.vocabulary())
