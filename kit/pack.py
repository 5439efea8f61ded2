"""The runner's sources with all that they need of other libraries, for a machine that has CUDA, PyTorch, cmake and ninja
and cannot install anything: kit/build.sh builds and tests it there.

usage: kit/pack.py BUILD OUT.tar.gz    BUILD: CMake's folder of a release build of `evaljob-runner evaljob-rank
test_communicate test_engine test_runner test_merge test_damage`, whose lists of headers say what is needed."""

import pathlib
import re
import subprocess
import sys
import tarfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = ["CMakeLists.txt", "cmake", "api", "net", "evaljob-runner", "kit", "bench/CMakeLists.txt", "examples/fashion-mnist",
           "tests/CMakeLists.txt", "tests/places.hpp.in", "tests/unit/communicate", "tests/unit/runner", "tests/unit/engine", "tests/unit/merge", "tests/unit/damage", "tests/unit/marks.py", "tests/unit/cluster/",
           "tests/golden/merge"]
INCLUDE = pathlib.Path("/usr/include")
LIBRARIES = pathlib.Path("/usr/lib/x86_64-linux-gnu")
# Whole, for they choose their headers by compiler and version; of Boost all that is used anywhere, and these folders.
WHOLE = ["nlohmann", "CLI", "spdlog", "fmt", "tl", "isa-l", "openssl", "prometheus", "kainjow",
         "boost/config", "boost/predef", "boost/asio", "boost/beast", "boost/system", "boost/process"]
OBJECTS = r"(api/CMakeFiles/evaljob_api|net|evaljob-runner|tests/CMakeFiles/test_(runner|communicate|engine|merge|damage)\.dir)"
GOOGLETEST = pathlib.Path("/usr/src/googletest")
LIMIT = 64 << 20


def used_headers(build: pathlib.Path) -> set[pathlib.Path]:
    """What the compiler read of other libraries' headers for any object of ours."""
    listed = subprocess.run(["ninja", "-C", str(build), "-t", "deps"], check=True, capture_output=True, text=True).stdout
    objects = [lines for lines in listed.split("\n\n") if re.match(OBJECTS, lines)]
    found = {pathlib.Path(line.strip()) for lines in objects for line in lines.splitlines() if line.startswith("    /usr/include/")}
    return {path for path in found if not re.match(r"/usr/include/(c\+\+|x86_64-linux-gnu/(c\+\+|bits|sys|gnu|asm)|linux|asm|bits|sys)/", str(path))}


def of_the_compiler(paths: set[pathlib.Path]) -> set[pathlib.Path]:
    """The C library's and the compiler's own: the target has its own."""
    listed = subprocess.run(["dpkg", "-S", *map(str, paths)], capture_output=True, text=True, check=False).stdout
    owners = dict(reversed(line.split(": ", 1)) for line in listed.splitlines() if ": " in line)
    return {path for path in paths if re.match(r"libc6-dev|linux-libc-dev|libstdc\+\+|libgcc", owners.get(str(path), "libc6-dev"))}


def place_of(header: pathlib.Path) -> pathlib.Path:
    inside = header.relative_to(INCLUDE)
    return inside.relative_to("x86_64-linux-gnu") if inside.parts[0] == "x86_64-linux-gnu" else inside


def headers(build: pathlib.Path) -> dict[pathlib.Path, pathlib.Path]:
    """By place below include/."""
    used = used_headers(build)
    boost = {path for path in used if path.parts[3] == "boost"}
    others = {path for path in used - boost if not any(place_of(path).is_relative_to(name) for name in WHOLE)}
    found = {place_of(path): path for path in boost | (others - of_the_compiler(others))}
    for name in WHOLE:
        for folder in (INCLUDE / name, INCLUDE / "x86_64-linux-gnu" / name):
            found |= {place_of(path): path for path in folder.rglob("*") if path.is_file()}
    return found


def libraries(build: pathlib.Path) -> dict[str, pathlib.Path]:
    """Under the names that cmake/kit.cmake knows, and those that they load in turn."""
    wanted = re.findall(r"lib[\w+-]+\.so[.\d]*", (ROOT / "cmake/kit.cmake").read_text())
    for program in ("evaljob-runner", "evaljob-rank"):
        loaded = subprocess.run(["ldd", str(build / "bin" / program)], check=True, capture_output=True, text=True).stdout
        wanted += [name for name in re.findall(r"(\S+) => /(?:usr/)?lib", loaded)
                   if not re.match(r"lib(c|m|dl|rt|util|pthread|stdc\+\+|gcc_s|gomp|spdlog|fmt)\.so", name)]
    return {name: next(path for path in (LIBRARIES / name, pathlib.Path("/lib/x86_64-linux-gnu") / name) if path.exists()) for name in sorted(set(wanted))}


def main() -> None:
    build, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    listed = subprocess.run(["git", "-C", str(ROOT), "ls-files", "--", *SOURCES], check=True, capture_output=True, text=True).stdout
    members = {pathlib.Path(name): ROOT / name for name in listed.splitlines()}
    members |= {pathlib.Path("brought/include") / place: path for place, path in headers(build).items()}
    members |= {pathlib.Path("brought/lib") / name: path.resolve() for name, path in libraries(build).items()}
    members |= {pathlib.Path("brought/googletest") / path.relative_to(GOOGLETEST): path for path in GOOGLETEST.rglob("*")
                if path.is_file() and "test" not in path.relative_to(GOOGLETEST).parts[1:-1]}
    size = sum(path.stat().st_size for path in members.values())
    if size > LIMIT:
        sys.exit(f"the kit has {size >> 20} MiB; it must stay below {LIMIT >> 20}")
    with tarfile.open(out, "w:gz", compresslevel=6) as tar:
        for place, path in sorted(members.items()):
            tar.add(path, f"evaljob-runner-kit/{place}", recursive=False)
    print(f"{out}  {out.stat().st_size >> 20} MiB, {size >> 20} MiB unpacked, {len(members)} files")


main()
