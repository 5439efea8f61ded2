"""A real node: its own containerd and kubelet, in a network namespace of its own."""

import json
import pathlib

from control_plane import ControlPlane
from network import CONTROL_PLANE, NodeNetwork
from programs import Programs, run, succeeds

PROGRAMS = ["kubelet", "containerd", "ctr", "runc"]
PAUSE = "evaljob-test-pause:1"

# restrict_oom_score_adj: without the right to lower it (CAP_SYS_RESOURCE) every sandbox would fail.
CONTAINERD = """\
version = 2
root = "{folder}/root"
state = "{folder}/state"
[grpc]
  address = "{socket}"
[plugins."io.containerd.internal.v1.opt"]
  path = "{folder}/opt"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "docker.io/library/{pause}"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{folder}/cni"
"""

KUBELET = {
    "apiVersion": "kubelet.config.k8s.io/v1beta1",
    "kind": "KubeletConfiguration",
    # Nobody but this test is on this network.
    "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
    "authorization": {"mode": "AlwaysAllow"},
    "cgroupDriver": "cgroupfs",
    "cgroupsPerQOS": False,
    "enforceNodeAllocatable": [],
    "failSwapOn": False,
    "clusterDNS": [CONTROL_PLANE],
    "clusterDomain": "cluster.local",
    "evictionHard": {"memory.available": "0%"},
    "imageGCHighThresholdPercent": 100,
}


class Node:
    def __init__(self, programs: Programs, folder: pathlib.Path, index: int):
        self.programs, self.folder, self.network = programs, folder, NodeNetwork(index)
        self.name = self.network.namespace
        self.socket = folder / "containerd.sock"
        folder.mkdir()

    def ctr(self, *arguments: object) -> str:
        return run("ctr", "--address", self.socket, "--namespace", "k8s.io", *arguments)

    def start_containerd(self) -> None:
        config = self.folder / "containerd.toml"
        config.write_text(CONTAINERD.format(folder=self.folder, socket=self.socket, pause=PAUSE))
        cni = self.folder / "cni"
        cni.mkdir()
        (cni / "pods.conflist").write_text(json.dumps(self.pod_network()))
        self.programs.start(f"containerd-{self.name}", "containerd", "--config", config, network=self.name)
        self.programs.wait_until(f"containerd of {self.name} answers", lambda: succeeds("ctr", "--address", self.socket, "version"))

    def pod_network(self) -> dict:
        addresses = {
            "type": "host-local",
            "dataDir": str(self.folder / "addresses"),
            "ranges": [[{"subnet": self.network.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        bridge = {"type": "bridge", "bridge": "pods", "isGateway": True, "ipMasq": False, "ipam": addresses}
        return {"cniVersion": "0.4.0", "name": "pods", "plugins": [bridge]}

    def start_kubelet(self, control_plane: ControlPlane) -> None:
        config, resolv = self.folder / "kubelet.json", self.folder / "resolv.conf"
        resolv.write_text("")  # nothing beyond the cluster's own names
        config.write_text(json.dumps({
            **KUBELET,
            "containerRuntimeEndpoint": f"unix://{self.socket}",
            "resolvConf": str(resolv),
            "podLogsDir": str(self.folder / "logs"),
            "volumePluginDir": str(self.folder / "volume-plugins"),
        }))  # fmt: skip
        self.programs.start(
            f"kubelet-{self.name}", "kubelet", f"--config={config}", f"--root-dir={self.folder}/kubelet",
            f"--kubeconfig={control_plane.kubeconfig(f'system:node:{self.name}')}",
            f"--hostname-override={self.name}", f"--node-ip={self.network.address}", f"--cert-dir={self.folder}/certificates",
            network=self.name,
        )  # fmt: skip

    def main_process(self, pod_uid: str, container: str) -> int:
        """The pid of a container's main process."""
        for line in self.ctr("containers", "ls", "-q").split():
            labels = json.loads(self.ctr("containers", "info", line))["Labels"]
            named = labels.get("io.kubernetes.container.name"), labels.get("io.kubernetes.pod.uid")
            if named == (container, pod_uid):
                rows = (row.split() for row in self.ctr("tasks", "ls").splitlines())
                return next(int(row[1]) for row in rows if row[0] == line)
        raise SystemExit(f"{self.name} has no container {container} of the Pod {pod_uid}")
