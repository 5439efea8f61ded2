"""Breaks the product on purpose, one patch at a time, and shows by which seed of its simulation each is found.

A patch tests/simulation/AREA/broken/NAME.patch is applied to a copy of the tree, test_simulation_AREA is built there and
runs its ordinary seeds. Prints a line for each: "AREA/NAME: found by seed N: message". A patch that no seed finds, or
that does not apply any more, is a failure.

usage: broken.py SOURCE_DIR WORK_DIR PRESET [WORD]    WORD: only patches whose AREA/NAME contains it
"""
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

SEEDS = "1:10000"


def copy_tree(source: Path, tree: Path) -> None:
    """What git knows or would know, as it lies there; the copy's build folder stays, for speed."""
    listed = subprocess.run(["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=source, check=True,
                            capture_output=True, text=True).stdout
    names = {name for name in listed.split("\0") if name and (source / name).is_file()}
    for name in names:
        target = tree / name
        if target.is_file() and target.read_bytes() == (source / name).read_bytes():
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source / name, target)
    for path in [p for p in tree.rglob("*") if p.is_file()]:
        name = path.relative_to(tree).as_posix()
        if not name.startswith("build/") and name not in names:
            path.unlink()


def run(command: list, tree: Path, **kwargs) -> subprocess.CompletedProcess:
    # The copy lies inside a repository that ignores it: git must not look for one.
    environment = {**os.environ, "GIT_CEILING_DIRECTORIES": str(tree.parent), **kwargs}
    return subprocess.run(command, cwd=tree, env=environment, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


def try_patch(patch: Path, area: str, tree: Path, preset: str) -> tuple[bool, str]:
    applied = run(["git", "apply", str(patch)], tree)
    if applied.returncode != 0:
        return False, "does not apply: " + applied.stdout.strip()
    build = Path("build") / preset
    if not (tree / build / "build.ninja").exists():
        configured = run(["cmake", "--preset", preset], tree)
        if configured.returncode != 0:
            return False, "does not configure:\n" + configured.stdout
    program = "test_simulation_" + area
    built = run(["cmake", "--build", str(build), "--target", program], tree)
    if built.returncode != 0:
        return False, "does not build:\n" + built.stdout
    tried = run([str(tree / build / "bin" / program), "--gtest_filter=Seeds.*"], tree, EVALJOB_SEEDS=SEEDS)
    found = re.search(r"^seed (\d+): (.*)$", tried.stdout, re.MULTILINE)
    if found:
        return True, f"found by seed {found[1]}: {found[2]}"
    if tried.returncode != 0:
        return False, f"ended with {tried.returncode} without naming a seed:\n" + tried.stdout[-2000:]
    return False, "found by none of the seeds " + SEEDS


def main() -> int:
    source, work, preset = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve(), sys.argv[3]
    word = sys.argv[4] if len(sys.argv) > 4 else ""
    tree = work / "tree"
    tree.mkdir(parents=True, exist_ok=True)
    missed = 0
    tried = 0
    for patch in sorted(source.glob("tests/simulation/*/broken/*.patch")):
        area = patch.parent.parent.name
        name = f"{area}/{patch.stem}"
        if word not in name:
            continue
        copy_tree(source, tree)
        found, what = try_patch(patch, area, tree, preset)
        print(f"{name}: {what}", flush=True)
        tried += 1
        missed += not found
    print(f"{tried - missed} of {tried} found")
    return 1 if missed or not tried else 0


if __name__ == "__main__":
    sys.exit(main())
