"""A control plane of its own for each measurement: etcd, kube-apiserver, controller-manager and scheduler, and KWOK's nodes."""

import json
import os
import pathlib
import shutil
import signal
import tempfile

import api
import audit
from process import Process

ROOT = pathlib.Path(__file__).resolve().parents[2]
ETCD, PEER, SERVER, MANAGER, SCHEDULER = "2379", "2380", "6443", "10257", "10259"  # the network is ours alone
NODES = 10
SETTINGS = {
    "controller-manager": "500 requests a second, bursts of 1,000; else as shipped",
    "scheduler": "1,000 requests a second, bursts of 2,000",
    "etcd": "without fsync",
    "Pods": f"on {NODES} KWOK nodes; they run at once and succeed 1 s later",
}


def account(system):
    return f"system:serviceaccount:{system}:{system}"


def parent_and_name(pid):
    try:
        stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    name, _, rest = stat.partition("(")[2].rpartition(")")
    return int(rest.split()[1]), name


class Cluster:
    def __init__(self, accounts):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="evaljob-bench-"))
        self.parts = []
        try:
            self._start_control_plane(accounts)
            self.api = api.Api(int(SERVER), self.folder / "ca.crt", "admin-token")
            self._let_in(accounts)
            self._start_scheduler()
            self._start_nodes()
            self._make_claim()
        except BaseException:
            self.end()
            raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def end(self):
        for part in reversed(self.parts):
            part.end(patience=10)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start(self, name, argv, **more):
        with open(self.folder / f"{name}.log", "ab") as log:
            part = Process(argv, log, cwd=self.folder, **more)
        self.parts.append(part)
        return part

    def end_api_server(self):
        """kill -9, as of a machine that goes."""
        pid = next(int(pid) for pid in os.listdir("/proc") if pid.isdigit() and parent_and_name(pid) == (self.parts[0].child.pid, "kube-apiserver"))
        self.api_server = pathlib.Path(f"/proc/{pid}/cmdline").read_text().split("\0")[:-1]
        os.kill(pid, signal.SIGKILL)

    def start_api_server(self):
        """With the flags that it had."""
        self.start("apiserver-again", self.api_server)
        api.await_that("the API server is back", lambda: self.api.get("/api/v1/namespaces/default"))

    def last_words(self, name):
        path = self.folder / f"{name}.log"
        return path.read_text(errors="replace")[-2000:] if path.exists() else ""

    def kubeconfig(self, name, token):
        """The path of one for the holder of this token."""
        path = self.folder / f"{name}.kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "bench",
            "clusters": [{"name": "bench", "cluster": {"server": f"https://127.0.0.1:{SERVER}",
                                                       "certificate-authority": str(self.folder / "ca.crt")}}],
            "users": [{"name": "bench", "user": {"token": token}}],
            "contexts": [{"name": "bench", "context": {"cluster": "bench", "user": "bench", "namespace": name}}]}))
        return str(path)

    def audit(self, since=0.0):
        return audit.read(self.folder / "audit.log", since)

    def _start_control_plane(self, accounts):
        (self.folder / "audit-policy.json").write_text(json.dumps(audit.POLICY))
        tokens = [f'{system}-token,{account(system)},{system},"system:serviceaccounts"' for system in accounts]
        read, write = os.pipe()
        self.start("control-plane", [str(ROOT / "tests/api_server/control_plane.sh"), str(self.folder), ETCD, PEER, SERVER, MANAGER],
                   stdout=write, env={
                       "TOKENS": "\n".join(tokens),
                       "API_SERVER_FLAGS": "--audit-policy-file audit-policy.json --audit-log-path audit.log",
                       "MANAGER_FLAGS": "--kube-api-qps 500 --kube-api-burst 1000"})
        os.close(write)
        with os.fdopen(read) as output:
            if output.readline() != "ready\n":
                raise RuntimeError("the control plane does not start: " + (self.folder / "control-plane.log").read_text()[-500:])

    def _let_in(self, accounts):
        for system in accounts:
            self.api.create("/api/v1/namespaces", {"metadata": {"name": system}})
            self.api.create("/apis/rbac.authorization.k8s.io/v1/clusterrolebindings", {
                "metadata": {"name": system},
                "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "cluster-admin"},
                "subjects": [{"kind": "User", "name": account(system), "apiGroup": "rbac.authorization.k8s.io"}]})

    def _start_scheduler(self):
        (self.folder / "scheduler.json").write_text(json.dumps({
            "apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration",
            "leaderElection": {"leaderElect": False},
            "clientConnection": {"kubeconfig": "kubeconfig", "qps": 1000, "burst": 2000}}))
        self.start("scheduler", ["kube-scheduler", "--config", "scheduler.json", "--secure-port", SCHEDULER,
                                 "--bind-address", "127.0.0.1"])

    def _start_nodes(self):
        self.start("kwok", ["kwok", "--kubeconfig", "kubeconfig", "--manage-all-nodes", "--config",
                            str(pathlib.Path(__file__).with_name("stages.yaml")), "--cidr", "10.1.0.0/16", "--node-ip", "10.0.1.1"])
        for i in range(NODES):
            self.api.create("/api/v1/nodes", {"metadata": {"name": f"node-{i}", "annotations": {"kwok.x-k8s.io/node": "fake"}}})
        api.await_that("the nodes are ready", lambda: all(
            any(c["type"] == "Ready" and c["status"] == "True" for c in node.get("status", {}).get("conditions", []))
            and not any(taint["effect"] == "NoSchedule" for taint in node["spec"].get("taints", []))
            for node in self.api.get("/api/v1/nodes")["items"]))
        api.await_that("Pods can be made", lambda: self.api.get("/api/v1/namespaces/default/serviceaccounts/default"))

    def _make_claim(self):
        """A shared volume for the EvalJobs' results."""
        size, modes = {"storage": "1Gi"}, ["ReadWriteMany"]
        self.api.create("/api/v1/persistentvolumes", {
            "metadata": {"name": "shared"},
            "spec": {"capacity": size, "accessModes": modes, "hostPath": {"path": "/nowhere"}, "storageClassName": ""}})
        claims = "/api/v1/namespaces/default/persistentvolumeclaims"
        self.api.create(claims, {"metadata": {"name": "shared"}, "spec": {
            "accessModes": modes, "resources": {"requests": size}, "storageClassName": "", "volumeName": "shared"}})
        api.await_that("the claim is bound", lambda: self.api.get(f"{claims}/shared")["status"].get("phase") == "Bound")
