"""examples/fashion-mnist in a cluster: installed as a person would, watched, checked."""

import dataclasses
import json
import pathlib
import subprocess
import time

from cluster import Cluster
from programs import run

SCORE = "0.926"
VOLUME = """\
apiVersion: v1
kind: PersistentVolume
metadata: {{name: shared}}
spec:
  capacity: {{storage: 10Gi}}
  accessModes: [ReadWriteMany]
  hostPath: {{path: {place}, type: Directory}}
"""


@dataclasses.dataclass
class Seen:
    """What a run looked like."""

    seconds: float  # from apply until the status said Succeeded
    score: str
    results: str
    restarts: int
    machines: set[str]
    watch: str  # kubectl get evj -w
    wide: str
    describe: str
    pods: str


def expect(name: str, found: object, wanted: object) -> None:
    if found != wanted:
        raise SystemExit(f"{name}: {found!r}, but must be {wanted!r}")


class Example:
    def __init__(self, cluster: Cluster, repository: pathlib.Path):
        self.cluster, self.repository, self.kubectl = cluster, repository, cluster.kubectl
        self.volume = cluster.folder / "volume"
        self.digests: dict[str, str] = {}  # by what is evaluated

    def install(self) -> None:
        here = self.repository
        run("helm", "--kubeconfig", self.cluster.control_plane.admin, "install", "evaljob", here / "charts/evaljob",
            "--namespace", "evaljob-system", "--create-namespace", "--wait", "--timeout", "120s")  # fmt: skip
        self.kubectl("wait", "--for=condition=Established", "crd/evaljobs.evaljob.dev", "--timeout=60s")
        self.kubectl("label", "namespace", "default", "pod-security.kubernetes.io/enforce=restricted")
        self.volume.mkdir()
        self.volume.chmod(0o777)  # fsGroup does nothing to a hostPath
        self.kubectl("apply", "-f", "-", text=VOLUME.format(place=self.volume))
        self.kubectl("apply", "-f", here / "examples/fashion-mnist/volume.yaml")
        self.kubectl("wait", "--for=condition=Complete", "job/fashion-mnist-files", "--timeout=120s")

    def digest_here(self, manifest: str) -> str:
        """Of the same evaluation in local mode, on this machine and by the programs that the images hold."""
        if manifest not in self.digests:
            folder = self.cluster.folder / f"local-{len(self.digests)}"
            folder.mkdir()
            (folder / "model.pt").symlink_to(self.repository / "examples/fashion-mnist/model.pt")
            (folder / "evaljob.yaml").write_text(manifest)
            last = run(self.repository / "build/release/bin/evaljob", "run", "--json", "-f", folder / "evaljob.yaml").splitlines()[-1]
            self.digests[manifest] = json.loads(last)["status"]["results"]["sha256"]
        return self.digests[manifest]

    def get(self, *what: object) -> dict:
        return json.loads(self.kubectl("get", *what, "-o", "json"))

    def job(self, name: str) -> dict:
        return self.get("evaljob", name)

    def pods(self, name: str) -> list[dict]:
        return self.get("pods", "-l", f"evaljob.dev/job={name},evaljob.dev/role=node")["items"]

    def evaluate(self) -> Seen:
        return self.apply("fashion-mnist", (self.repository / "examples/fashion-mnist/evaljob.yaml").read_text(), self.check_pods)

    def check_pods(self, name: str) -> None:
        """That every node's Pod was told its place."""
        pods = self.cluster.programs.wait_until("all Pods are there", lambda: len(self.pods(name)) == 4 and self.pods(name))
        for pod in pods:
            given = {row["name"]: row.get("value") for row in pod["spec"]["containers"][0]["env"]}
            rank = pod["metadata"]["labels"]["evaljob.dev/node-rank"]
            expect("NODE_RANK", given["NODE_RANK"], rank)
            expect("RANK", given["RANK"], str(2 * int(rank)))
            expect("WORLD_SIZE", given["WORLD_SIZE"], "8")
            expect("MASTER_ADDR", given["MASTER_ADDR"], f"{name}-0.{name}.default.svc")
            expect("hostname", pod["spec"]["hostname"], f"{name}-{rank}")

    def apply(self, name: str, manifest: str, meanwhile) -> Seen:
        watch_file = self.cluster.folder / f"{name}.watch"
        kubectl = ["kubectl", "--kubeconfig", self.cluster.control_plane.admin]
        with watch_file.open("w") as output:
            watch = subprocess.Popen([*kubectl, "get", "evaljobs", "--watch", f"--field-selector=metadata.name={name}"], stdout=output)
        begin = time.monotonic()
        self.kubectl("apply", "-f", "-", text=manifest)
        meanwhile(name)
        self.cluster.programs.wait_until(f"{name} has ended", lambda: self.has_ended(name), 300)
        seconds = time.monotonic() - begin
        self.cluster.programs.wait_until("the watch shows the end", lambda: "Succeeded" in watch_file.read_text())
        watch.terminate()
        watch.wait()
        return self.proven(name, seconds, watch_file.read_text(), self.digest_here(manifest))

    def has_ended(self, name: str) -> bool:
        summary = self.job(name).get("status", {}).get("summary", {})
        if summary.get("status") == "Failed":
            raise SystemExit(self.kubectl("describe", "evaljob", name))
        return summary.get("status") == "Succeeded"

    def proven(self, name: str, seconds: float, watch: str, digest: str) -> Seen:
        status = self.job(name)["status"]
        expect("score", status["summary"]["score"], SCORE)
        expect("digest", status["results"]["sha256"], digest)
        folder = self.volume / status["results"]["path"]
        for file in ("results.jsonl", "metrics.json", "report.html"):
            if not (folder / file).exists():
                raise SystemExit(f"{folder} has no {file}")
        machines = {pod["spec"]["nodeName"] for pod in self.pods(name)}
        expect("nodes with Pods of the job", machines, {node.name for node in self.cluster.nodes})
        return Seen(
            seconds, status["summary"]["score"], status["results"]["path"], status.get("restarts", 0), machines, watch,
            self.kubectl("get", "evaljob", name, "-o", "wide"), self.kubectl("describe", "evaljob", name),
            self.kubectl("get", "pods", "-o", "wide"),
        )  # fmt: skip

    def records(self, folder: str) -> int:
        return sum(file.stat().st_size for file in (self.volume / folder).glob("runs/**/*.shard"))


def kill_in_mid_run(example: Example) -> Seen:
    """One runner is killed with SIGKILL and another's Pod deleted while samples are evaluated: the same bytes come out. The
    runners' root file system is read-only, which the example does not ask for."""
    name = "killed"
    manifest = (example.repository / "examples/fashion-mnist/evaljob.yaml").read_text()
    manifest = manifest.replace("name: fashion-mnist\nspec:", f"name: {name}\nspec:").replace("path: output", f"path: {name}")
    manifest += "      containers: [{name: runner, securityContext: {readOnlyRootFilesystem: true}}]\n"

    def kill(name: str) -> None:
        example.cluster.programs.wait_until("samples are evaluated", lambda: example.records(name) > 0)
        pods = {pod["metadata"]["labels"]["evaljob.dev/node-rank"]: pod for pod in example.pods(name)}
        machine = next(node for node in example.cluster.nodes if node.name == pods["1"]["spec"]["nodeName"])
        run("kill", "-KILL", machine.main_process(pods["1"]["metadata"]["uid"], "runner"))
        example.kubectl("delete", "pod", pods["2"]["metadata"]["name"], "--wait=false")

    seen = example.apply(name, manifest, kill)
    expect("restarts", seen.restarts, 2)
    return seen


def dollars(example: Example) -> Seen:
    """What Kubernetes expands in variables arrives as it stands: in a path, in the names of classes."""
    name, folder, label = "dollars", "$$d $(NODE_RANK)", "$$x^2$$ $(RANK) price $5 é"
    manifest = (example.repository / "examples/fashion-mnist/evaljob.yaml").read_text()
    manifest = manifest.replace("name: fashion-mnist\nspec:", f"name: {name}\nspec:").replace("path: output", f"path: '{folder}'")
    manifest = manifest.replace("T-shirt/top", f"'{label}'")
    seen = example.apply(name, manifest, example.check_pods)
    results = (example.volume / seen.results / "metrics.json").read_text()
    expect("folder", pathlib.Path(seen.results).parts[0], folder)
    expect("a class's name in the results", json.dumps(label, ensure_ascii=False) in results, True)
    return seen
