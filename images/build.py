"""Builds the images without a container engine, from programs that are built already. `./dev images` calls it.

build.py BUILD TORCH OUT [--only operator|runner] [--tree]

BUILD is CMake's folder, TORCH libtorch's (EVALJOB_TORCH_DIR). OUT gets evaljob-operator.tar and evaljob-runner.tar, which
`ctr -n k8s.io images import`, `docker load` and `podman load` take. With --tree it gets the files themselves, as a root
file system: the Dockerfiles end in that, so that both ways make the same image.
"""

import argparse
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import archive
import contents


def version() -> str:
    text = (contents.REPOSITORY / "CMakeLists.txt").read_text()
    return re.search(r"project\(evaljob VERSION (\S+)", text)[1]


def write_tree(layers: dict[str, archive.Layer], root: pathlib.Path) -> None:
    for layer in layers.values():
        for path, entry in sorted(archive.with_parents(layer).items()):
            place = root / path.lstrip("/")
            if entry.source:
                shutil.copyfile(entry.source, place)
            elif entry.text is not None:
                place.write_text(entry.text)
            else:
                place.mkdir(exist_ok=True, parents=True)
            place.chmod(entry.mode)


def installed(build: pathlib.Path, name: str, prefix: pathlib.Path) -> pathlib.Path:
    """The programs with the library paths of an image instead of this machine's."""
    command = ["cmake", "--install", str(build), "--prefix", str(prefix), "--component", name]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return prefix / "bin"


def main() -> None:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("torch", type=pathlib.Path)
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--only", choices=contents.LAYERS)
    parser.add_argument("--tree", action="store_true")
    options = parser.parse_args()
    if not (options.torch / "lib/libtorch_cpu.so").exists():
        sys.exit(f"{options.torch} has no lib/libtorch_cpu.so")
    for name in [options.only] if options.only else contents.LAYERS:
        with tempfile.TemporaryDirectory() as prefix:
            programs = installed(options.build, name, pathlib.Path(prefix))
            layers = contents.LAYERS[name](options.build / "bin", programs, options.torch)
            if options.tree:
                write_tree(layers, options.out)
                continue
            place = options.out / f"evaljob-{name}.tar"
            tag = f"evaljob-{name}:{version()}"
            digest = archive.write_image(tag, contents.settings(name, version()), layers, place)
        print(f"{place}  {tag}  sha256:{digest}  {place.stat().st_size / 1e6:.0f} MB", flush=True)


if __name__ == "__main__":
    sys.exit(main())
