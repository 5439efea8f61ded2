#!/usr/bin/env python3
"""Compiles model.pt's network ahead of time with AOTInductor: model.pt2, for EvalJob's model.format AOTInductor.

The package is native code for this kind of machine and this version of torch, so it is made where it is used and not
committed. Needs torch 2.11.0 with what torch.export imports (sympy, networkx, jinja2, filelock, fsspec), and g++.
"""

import argparse
import os
import pathlib
import tempfile

import torch
import torch._inductor

import idx
import train


def main():
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description="Compile model.pt into a package of AOTInductor.")
    parser.add_argument("--model", default=str(here / "model.pt"), help="default: model.pt beside this script")
    parser.add_argument("--out", default=str(here / "model.pt2"), help="default: model.pt2 beside this script")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (default: %(default)s)")
    parser.add_argument("--max-batch", type=int, default=1024, help="samples that a batch may have (default: %(default)s)")
    parser.add_argument("--static-batch", type=int, help="instead: batches of exactly so many samples")
    arguments = parser.parse_args()
    if not arguments.out.endswith(".pt2"):
        parser.error("--out must end in .pt2")

    with tempfile.TemporaryDirectory() as work:
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = work
        export(network(arguments.model), arguments)
    print(f"{arguments.out}: {pathlib.Path(arguments.out).stat().st_size} bytes, sha256 {idx.sha256(arguments.out)}")


def network(path):
    """The module that train.py exports, with the weights of the TorchScript file."""
    try:
        scripted = torch.jit.load(path, map_location="cpu")
    except (ValueError, RuntimeError) as error:
        idx.fail(f"cannot load {path}: make it with train.py, or name a TorchScript file with --model\n{error}")
    layers = [
        tuple(torch.nn.Parameter(getattr(scripted, f"{kind}{i}").detach()) for kind in ("weight", "bias"))
        for i in (1, 2, 3, 4)
    ]
    return train.Exported(layers[:3], layers[3])


def export(module, arguments):
    samples = torch.rand(arguments.static_batch or 8, 1, 28, 28, device=arguments.device)
    batch = None if arguments.static_batch else {0: torch.export.Dim("batch", max=arguments.max_batch)}
    program = torch.export.export(module.to(arguments.device), (samples,), dynamic_shapes=(batch,))
    # To choose between oneDNN and NNPACK, torch asks whether a batch has 16 samples, and takes the answer for the example's
    # batch for a limit of all: at most 15. It need not choose here; the package does when it runs.
    with torch.backends.mkldnn.flags(enabled=False), torch.backends.nnpack.flags(enabled=False):
        torch._inductor.aoti_compile_and_package(
            program,
            package_path=os.path.abspath(arguments.out),
            inductor_configs={"cpp.dynamic_threads": True},  # as many as inference.threadsPerRank says
        )


if __name__ == "__main__":
    main()
