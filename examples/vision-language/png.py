"""Grey PNG images of 8 bits, as this example has them; Python's own library reads and writes none."""

import struct
import zlib

import numpy

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def encode(pixels):
    """The file's bytes for a uint8 array, height x width. Rows are stored as they are: filter 0."""
    height, width = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 9)) + chunk(b"IEND", b"")


def decode(content):
    """What encode() was given."""
    if not content.startswith(SIGNATURE):
        raise ValueError("is no PNG image")
    at, compressed, size = len(SIGNATURE), b"", None
    while at + 8 <= len(content):
        length, name = struct.unpack_from(">I4s", content, at)
        body = content[at + 8:at + 8 + length]
        at += 12 + length
        if name == b"IHDR":
            width, height, *kind = struct.unpack(">IIBBBBB", body)
            if kind != [8, 0, 0, 0, 0]:
                raise ValueError("is no grey image of 8 bits")
            size = height, 1 + width
        elif name == b"IDAT":
            compressed += body
    rows = numpy.frombuffer(zlib.decompress(compressed), numpy.uint8).reshape(size)
    if rows[:, 0].any():
        raise ValueError("has rows with another filter than 0")
    return rows[:, 1:]
