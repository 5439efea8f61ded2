"""Reads the IDX files of Fashion-MNIST (unsigned bytes, gzip)."""

import gzip
import hashlib
import pathlib
import sys

import numpy

DEFAULT_FOLDER = "/usr/share/datasets/fashion-mnist"


def fail(message):
    sys.exit(f"error: {message}")


def read_file(path):
    try:
        return pathlib.Path(path).read_bytes()
    except OSError as error:
        fail(f"cannot read {path} ({error.strerror}): install Debian's package dataset-fashion-mnist, "
             "or name the folder of the four .gz files with --data")


def read_idx(path, dimensions):
    """The array in the file: uint8, with the number of dimensions asked for."""
    try:
        data = gzip.decompress(read_file(path))
    except (OSError, EOFError, ValueError) as error:
        fail(f"{path} is no sound gzip file ({error}): install or copy it again")
    start = 4 + 4 * dimensions
    if len(data) < start or data[:4] != bytes([0, 0, 8, dimensions]):
        fail(f"{path} is no IDX file of bytes with {dimensions} dimension(s): check that --data names the right folder")
    shape = numpy.frombuffer(data, ">u4", dimensions, 4).astype(int)
    if len(data) - start != shape.prod():
        fail(f"{path} holds {len(data) - start} values, its header says {shape.prod()}: install or copy it again")
    return numpy.frombuffer(data, numpy.uint8, offset=start).reshape(shape)


def read_split(folder, split):
    """Images (uint8, N x 28 x 28) and labels (uint8, N) of the split "train" or "t10k"."""
    folder = pathlib.Path(folder)
    images = read_idx(folder / f"{split}-images-idx3-ubyte.gz", 3)
    labels = read_idx(folder / f"{split}-labels-idx1-ubyte.gz", 1)
    if len(images) != len(labels):
        fail(f"{folder} has {len(images)} images but {len(labels)} labels for {split}: install or copy both files again")
    return images, labels


def sha256(path):
    return hashlib.sha256(read_file(path)).hexdigest()
