"""Unpacks from the wheels in one folder what programs on a CPU need of torch, in C++ and in Python.

unpack_libtorch.py WHEELS TARGET: TARGET/torch is what EVALJOB_TORCH_DIR names; TARGET itself is a folder of Python
packages. docs/decisions/0011-torch-for-python-from-the-same-wheel.md says why it looks as it does.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import zipfile

# libtorch_cpu.so finds libcudart and libcupti beside it by its RPATH (../../nvidia/cu13/lib).
WANTED = re.compile(
    r"torch/include/.*|torch/lib/(libtorch_cpu|libc10|libgomp|libshm)\.so[^/]*"
    r"|torch/(?!include/|lib/|test/).*|torch/lib/libtorch(|_python|_global_deps)\.so"
    r"|torch/lib/(libtorch_cuda|libc10_cuda|libtorch_nvshmem)\.so"
    r"|nvidia/cu13/lib/lib(cudart|cupti)\.so[^/]*|torchgen/.*|functorch/.*|numpy(\.libs)?/.*|typing_extensions\.py"
)

# The wheel's Python library is linked to these. They lie with NVIDIA's libraries, where its RPATH finds them: what lies
# in torch/lib is linked into our own programs (cmake/torch.cmake), which are for CPUs.
CUDA = re.compile(r"torch/lib/(libtorch_cuda|libc10_cuda|libtorch_nvshmem)\.so")
NVIDIA_FOLDER = "nvidia/cu13/lib"

# NVIDIA's libraries that those name (2 GB). Nothing that computes on a CPU calls into them, so empty ones do, as long
# as functions are looked up when they are first called: see need_torchrun in `dev`.
UNUSED = [
    "libcublas.so.13", "libcublasLt.so.13", "libcudnn.so.9", "libcufft.so.12", "libcufile.so.0", "libcurand.so.10",
    "libcusparse.so.12", "libcusparseLt.so.0", "libnccl.so.2", "libnvshmem_host.so.3",
]


def unpack(wheel, target):
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if not WANTED.fullmatch(name) or name.endswith("/"):
                continue
            place = target / (NVIDIA_FOLDER + name.removeprefix("torch/lib") if CUDA.fullmatch(name) else name)
            place.parent.mkdir(parents=True, exist_ok=True)
            with archive.open(name) as source, place.open("wb") as copy:
                shutil.copyfileobj(source, copy, 1 << 20)


def main():
    wheels, target = map(pathlib.Path, sys.argv[1:])
    for wheel in sorted(wheels.glob("*.whl")):
        unpack(wheel, target)
    for name in UNUSED:
        command = ["g++", "-shared", "-nostdlib", f"-Wl,-soname,{name}", "-x", "c++", os.devnull, "-o"]
        subprocess.run([*command, str(target / NVIDIA_FOLDER / name)], check=True)


main()
