"""Unpacks from the wheels in one folder what a CPU build of libtorch needs: unpack_libtorch.py WHEELS TARGET."""

import pathlib
import re
import sys
import zipfile

# libtorch_cpu.so finds libcudart and libcupti beside it by its RPATH (../../nvidia/cu13/lib).
WANTED = re.compile(
    r"torch/include/.*|torch/version\.py|torch/lib/(libtorch_cpu|libc10|libgomp|libshm)\.so[^/]*"
    r"|nvidia/cu13/lib/lib(cudart|cupti)\.so[^/]*"
)

wheels, target = map(pathlib.Path, sys.argv[1:])
for wheel in sorted(wheels.glob("*.whl")):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(target, [name for name in archive.namelist() if WANTED.fullmatch(name)])
