#!/usr/bin/env python3
"""Compiles model.pt's network ahead of time with AOTInductor: model.pt2, for EvalJob's model.format AOTInductor.

The package holds two programs, `prefill` and `step`, and the tokens of model.pt (docs/runner.md). It is native code for
this kind of machine and this version of torch, so it is made where it is used and not committed. Needs torch 2.11.0 with
what torch.export imports (sympy, networkx, jinja2, filelock, fsspec), numpy, and g++.
"""

import argparse
import os
import pathlib
import tempfile

import torch
import torch._inductor
from torch.export import Dim
from torch.export.pt2_archive import _package

import model
import scenes


class Method(torch.nn.Module):
    """torch.export takes a module's forward()."""

    def __init__(self, network, name):
        super().__init__()
        self.network, self.name = network, name

    def forward(self, *inputs):
        return getattr(self.network, self.name)(*inputs)


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Compile model.pt into a package of AOTInductor.")
    parser.add_argument("--model", default=str(here / "model.pt"), help="default: model.pt beside this script")
    parser.add_argument("--out", default=str(here / "model.pt2"), help="default: model.pt2 beside this script")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--max-batch", type=int, default=1024,
                        help="texts that a batch may have; MultipleChoice: options (default: %(default)s)")
    arguments = parser.parse_args()
    if not arguments.out.endswith(".pt2"):
        parser.error("--out must end in .pt2")

    network, description = model.load(arguments.model)
    with tempfile.TemporaryDirectory() as work:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = work
        programs = {name: compiled(program) for name, program in exported(network.to(arguments.device), arguments)}
        _package.package_pt2(os.path.abspath(arguments.out), aoti_files=programs,
                             extra_files={"evaljob.json": description})
    size = pathlib.Path(arguments.out).stat().st_size
    print(f"{arguments.out}: {size} bytes, sha256 {scenes.idx.sha256(arguments.out)}")


def exported(network, arguments):
    """Both methods, each with its example: 4 texts, prompts of 8 tokens."""
    batch = Dim("batch", max=arguments.max_batch)
    tokens = torch.full((4, 8), 2, device=arguments.device)
    lengths = torch.tensor([8, 5, 8, 3], device=arguments.device)
    images = torch.zeros(4, 1, scenes.SIDE, scenes.SIDE, dtype=torch.uint8, device=arguments.device)
    prefill = Method(network, "prefill")
    yield "prefill", torch.export.export(prefill, (tokens, lengths, images), dynamic_shapes={
        "inputs": ({0: batch, 1: Dim("prompt", max=model.PROMPT)}, {0: batch}, {0: batch})})

    # The cache as it comes from the runner: contiguous. It has a place for the picture's vectors, and one for each token.
    with torch.inference_mode():
        cache = [part.clone(memory_format=torch.contiguous_format) for part in prefill(tokens, lengths, images)[1]]
    place = Dim("place", max=model.PICTURE + model.PROMPT + model.ANSWER)
    read = {0: batch, 2: place}
    yield "step", torch.export.export(Method(network, "step"), (tokens[:, 0].contiguous(), cache), dynamic_shapes={
        "inputs": ({0: batch}, [read] * (len(cache) - 2) + [{0: batch, 1: place}, {0: batch}])})


def compiled(program):
    """The files of a program's package."""
    inputs, named = program.example_inputs
    # To choose between oneDNN and NNPACK, torch asks whether a batch has 16 samples, and takes the answer for the example's
    # batch for a limit of all: at most 15. It need not choose here; the package does when it runs.
    with torch.backends.mkldnn.flags(enabled=False), torch.backends.nnpack.flags(enabled=False):
        return torch._inductor.aot_compile(program.module(check_guards=False), inputs, named, options={
            "aot_inductor.package": True,
            "cpp.dynamic_threads": True,  # as many as inference.threadsPerRank says
        })


if __name__ == "__main__":
    main()
