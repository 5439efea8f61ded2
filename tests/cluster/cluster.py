"""A whole cluster on this machine, in namespaces of its own: processes, mounts and networks end with the first process.

On the machine itself are left: the folder of the test, which the caller removes, and cgroups, which are removed here.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys

import network
from control_plane import ControlPlane
from node import PAUSE, Node
from programs import Programs, run

sys.path.append(str(pathlib.Path(__file__).parents[2] / "images"))
import archive  # noqa: E402

INSIDE = "EVALJOB_CLUSTER_INSIDE"  # in the environment of what runs in the namespaces: the test's folder


def in_own_namespaces(command: list[str], folder: pathlib.Path) -> int:
    """Runs the command as if on a machine of its own. bash, as the first process, reaps what loses its parent."""
    before = leftover_cgroups()
    unshare = ["unshare", "--fork", "--kill-child", "--pid", "--mount-proc", "--mount", "--net", "--ipc", "--uts"]
    status = subprocess.run(
        [*unshare, "bash", "-c", '"$@"; exit $?', "cluster", *command], env={**os.environ, INSIDE: str(folder)}, check=False
    ).returncode
    for group in sorted(leftover_cgroups() - before, reverse=True):  # the deepest first
        group.rmdir()
    return status


def leftover_cgroups() -> set[pathlib.Path]:
    top = pathlib.Path("/sys/fs/cgroup")
    roots = [*top.glob("k8s.io"), *top.glob("*/k8s.io")]
    return {pathlib.Path(folder) for root in roots for folder, _, _ in os.walk(root)}


def hide_the_machine(folder: pathlib.Path) -> None:
    """What containerd, kubelet and network plugins write at places that cannot be set stays in here."""
    run("mount", "-t", "tmpfs", "tmpfs", "/run")
    run("mount", "-t", "tmpfs", "tmpfs", "/var/log")
    for name in ("upper", "work"):
        (folder / name).mkdir()
    layers = f"lowerdir=/var/lib,upperdir={folder}/upper,workdir={folder}/work"
    run("mount", "-t", "overlay", "overlay", "-o", layers, "/var/lib")


class Cluster:
    def __init__(self, folder: pathlib.Path, nodes: int):
        hide_the_machine(folder)
        self.folder = folder
        self.programs = Programs(folder / "logs")
        self.control_plane = ControlPlane(self.programs, folder / "control-plane")
        self.nodes = [Node(self.programs, folder / f"node-{index}", index) for index in range(nodes)]
        self.kubectl = self.control_plane.kubectl

    def start(self, images: list[pathlib.Path]) -> None:
        network.set_up([node.network for node in self.nodes])
        self.control_plane.start([node.name for node in self.nodes])
        images = [self.pause_image(), *images]
        with concurrent.futures.ThreadPoolExecutor() as threads:
            list(threads.map(lambda node: self.start_node(node, images), self.nodes))
        self.kubectl("wait", "--for=condition=Ready", "nodes", "--all", "--timeout=120s")

    def start_node(self, node: Node, images: list[pathlib.Path]) -> None:
        node.start_containerd()
        for image in images:
            node.ctr("images", "import", image)
        node.start_kubelet(self.control_plane)
        self.programs.wait_until(f"{node.name} has registered", lambda: node.name in self.kubectl("get", "nodes"))

    def pause_image(self) -> pathlib.Path:
        program, image = self.folder / "pause", self.folder / "pause.tar"
        run("gcc", "-static", "-Os", "-o", program, pathlib.Path(__file__).parent / "pause.c")
        archive.write_image(PAUSE, {"Entrypoint": ["/pause"]}, {"pause": {"/pause": archive.Entry(source=program, mode=0o755)}}, image)
        return image

    def stop(self) -> None:
        """Containers first, so that their cgroups are empty when they are removed."""
        for node in self.nodes:
            if f"kubelet-{node.name}" in self.programs.running:
                self.programs.stop(f"kubelet-{node.name}")
            if f"containerd-{node.name}" in self.programs.running:
                for task in node.ctr("tasks", "ls", "-q").split():
                    subprocess.run(["ctr", "--address", node.socket, "--namespace", "k8s.io", "tasks", "rm", "-f", task],
                                   capture_output=True, check=False)  # fmt: skip
        self.programs.stop_all()
