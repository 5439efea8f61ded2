"""The Fashion-MNIST example on real nodes: from `kubectl apply` to its score, with the images.

run.py IMAGES [--nodes N] [--record docs/cluster-run.md] [--shell]

IMAGES holds evaljob-operator.tar and evaljob-runner.tar (./dev images). Needs root; programs: on PATH. --shell opens a shell
in the cluster at the end, where kubectl works.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

import cluster
import control_plane
import node
from example import Example, dollars, kill_in_mid_run
from record import write_record

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


def missing() -> list[str]:
    names = [*control_plane.PROGRAMS, *node.PROGRAMS, "ip", "nsenter", "unshare", "sysctl", "gcc"]
    needed = [f"{name} (on PATH)" for name in names if not shutil.which(name)]
    if not pathlib.Path("/usr/lib/cni/bridge").exists():
        needed.append("/usr/lib/cni/bridge (Debian: containernetworking-plugins)")
    return needed if os.geteuid() == 0 else ["root", *needed]


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def run_inside(options: argparse.Namespace, folder: pathlib.Path) -> None:
    load = os.getloadavg()[0]
    here = cluster.Cluster(folder, options.nodes)
    try:
        say(f"starting a control plane and {options.nodes} nodes; logs: {here.programs.logs}")
        begin = time.monotonic()
        here.start([options.images / f"evaljob-{name}.tar" for name in ("operator", "runner")])
        example = Example(here, REPOSITORY)
        example.install()
        say(f"control plane, nodes, images and operator: {time.monotonic() - begin:.0f} s")
        seen = example.evaluate()
        say(f"apply to score: {seen.seconds:.1f} s on {len(seen.machines)} nodes; score {seen.score}, {seen.results}")
        if options.record:
            write_record(options.record, seen, len(here.nodes), load)
        again = kill_in_mid_run(example)
        say(f"with a runner killed and a Pod deleted: {again.seconds:.1f} s, {again.restarts} restarts; the same {again.results}")
        written = dollars(example)
        say(f"with dollars in path and names: {written.seconds:.1f} s; as in local mode on this machine: {written.results}")
    except SystemExit:
        for what in ("evaljobs", "pods"):
            say(subprocess.run(["kubectl", "--kubeconfig", here.control_plane.admin, "describe", what], capture_output=True, text=True,
                               check=False).stdout)  # fmt: skip
        raise
    finally:
        if options.shell:
            environment = {**os.environ, "KUBECONFIG": str(here.control_plane.admin)}
            subprocess.run(["bash", "-i"], env=environment, check=False)
        here.stop()


def main() -> int:
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("images", type=pathlib.Path)
    parser.add_argument("--nodes", type=int, default=2)
    parser.add_argument("--record", type=pathlib.Path)
    parser.add_argument("--shell", action="store_true")
    options = parser.parse_args()
    if cluster.INSIDE in os.environ:
        run_inside(options, pathlib.Path(os.environ[cluster.INSIDE]))
        return 0
    if needed := missing():
        sys.exit(f"a cluster needs: {', '.join(needed)}")
    folder = pathlib.Path(tempfile.mkdtemp(prefix="evaljob-cluster-"))
    status = cluster.in_own_namespaces([sys.executable, *sys.argv], folder)
    if status:
        say(f"failed; what the programs wrote: {folder}/logs")
    else:
        shutil.rmtree(folder)
    return status


if __name__ == "__main__":
    sys.exit(main())
