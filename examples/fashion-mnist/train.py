#!/usr/bin/env python3
"""Trains a small convolutional network on Fashion-MNIST and exports it as TorchScript.

The committed model.pt was made by `python3 train.py`, all defaults (11 epochs, seed 1), on one CPU thread of an x86-64
machine with AVX2, with Python 3.11, torch 2.11.0 and numpy 2.4.6. Its test accuracy is 0.9256; training takes about five
minutes on an idle core. The same command with the same versions on the same kind of processor gives the same file;
others can differ slightly. After making a new model.pt, run reference.py and put the new digest in evaljob.yaml.
"""

import argparse
import pathlib
import time

import numpy
import torch
from torch import nn
from torch.nn import functional
from torch.nn.utils.fusion import fuse_conv_bn_eval

import idx
import torchscript

MEAN, DEVIATION = 0.2860, 0.3530  # of the training images' pixels, scaled to 0..1


class Block(nn.Module):
    """Convolution 3x3, batch normalisation, max pooling 2x2, ReLU."""

    def __init__(self, inputs, outputs):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.normalisation = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return functional.relu(functional.max_pool2d(self.normalisation(self.convolution(x)), 2))


class Network(nn.Module):
    """float32 [N,1,28,28], values 0..1 -> float32 [N,10], class scores (logits)."""

    def __init__(self):
        super().__init__()
        self.mean = MEAN
        self.deviation = DEVIATION
        self.block1 = Block(1, 16)
        self.block2 = Block(16, 32)
        self.block3 = Block(32, 96)
        self.classes = nn.Linear(96 * 3 * 3, 10)
        self.to(memory_format=torch.channels_last)  # twice as fast on a CPU

    def forward(self, images):
        x = (images - self.mean) / self.deviation
        x = self.block3(self.block2(self.block1(x)))
        return self.classes(x.flatten(1))


def augment(images, generator):
    """Half of the images mirrored."""
    mirrored = torch.rand(len(images), 1, 1, 1, generator=generator) < 0.5
    return torch.where(mirrored, images.flip(3), images)


def train(network, images, labels, epochs, seed):
    generator = torch.Generator().manual_seed(seed)
    batch = 128
    steps = len(images) // batch
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=6e-3, total_steps=epochs * steps)
    network.train()
    for epoch in range(epochs):
        start, total = time.monotonic(), 0.0
        order = torch.randperm(len(images), generator=generator)
        for step in range(steps):
            chosen = order[step * batch:(step + 1) * batch]
            loss = functional.cross_entropy(network(augment(images[chosen], generator)), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            total += loss.item()
        print(f"epoch {epoch + 1}/{epochs}: loss {total / steps:.4f}, {time.monotonic() - start:.1f} s", flush=True)


class Exported(nn.Module):
    """The network for inference alone: batch normalisation is folded into the convolutions.

    No layer is left that behaves differently in training. The functions are called directly, because torch writes the
    constants of nn.Conv2d and nn.Linear in an order that changes from run to run.
    """

    def __init__(self, convolutions, classes):
        super().__init__()
        self.mean = MEAN
        self.deviation = DEVIATION
        self.weight1, self.bias1 = convolutions[0]
        self.weight2, self.bias2 = convolutions[1]
        self.weight3, self.bias3 = convolutions[2]
        self.weight4, self.bias4 = classes
        self.requires_grad_(False)
        self.eval()

    def forward(self, images):
        x = (images - self.mean) / self.deviation
        x = functional.relu(functional.max_pool2d(functional.conv2d(x, self.weight1, self.bias1, padding=1), 2))
        x = functional.relu(functional.max_pool2d(functional.conv2d(x, self.weight2, self.bias2, padding=1), 2))
        x = functional.relu(functional.max_pool2d(functional.conv2d(x, self.weight3, self.bias3, padding=1), 2))
        return functional.linear(x.flatten(1), self.weight4, self.bias4)


def fold(network):
    network.eval()
    blocks = (network.block1, network.block2, network.block3)
    convolutions = [fuse_conv_bn_eval(block.convolution, block.normalisation) for block in blocks]
    return Exported([(c.weight, c.bias) for c in convolutions], (network.classes.weight, network.classes.bias))


def to_tensor(images):
    return torch.from_numpy(images.astype(numpy.float32) / 255).unsqueeze(1)


def accuracy(module, images, labels):
    with torch.inference_mode():
        right = sum(int((module(x).argmax(1) == y).sum()) for x, y in zip(images.split(64), labels.split(64)))
    return right / len(images)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Train a small network on Fashion-MNIST and export it as TorchScript.")
    parser.add_argument("--data", default=idx.DEFAULT_FOLDER, help="folder of the four .gz files (default: %(default)s)")
    parser.add_argument("--out", default=str(here / "model.pt"), help="file to write (default: model.pt beside this script)")
    parser.add_argument("--epochs", type=int, default=11, help="default: %(default)s")
    parser.add_argument("--seed", type=int, default=1, help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.epochs < 1:
        parser.error("--epochs must be at least 1")
    if not pathlib.Path(arguments.out).resolve().parent.is_dir():
        idx.fail(f"cannot write {arguments.out}: its folder does not exist; make it, or name another file with --out")

    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    torch.manual_seed(arguments.seed)

    images, labels = idx.read_split(arguments.data, "train")
    test_images, test_labels = idx.read_split(arguments.data, "t10k")
    network = Network()
    train(network, to_tensor(images), torch.from_numpy(labels.astype(numpy.int64)), arguments.epochs, arguments.seed)
    # Not frozen: a frozen module's weights are constants, which Module::to(device) does not move.
    torchscript.save(fold(network), arguments.out)

    module = torch.jit.load(arguments.out)
    result = accuracy(module, to_tensor(test_images), torch.from_numpy(test_labels.astype(numpy.int64)))
    print(f"{arguments.out}: {pathlib.Path(arguments.out).stat().st_size} bytes, sha256 {idx.sha256(arguments.out)}")
    print(f"test accuracy: {result:.4f}")


if __name__ == "__main__":
    main()
