"""The two operators, as their users install them, behind one face: install, start, a job of some nodes, has it finished."""

import base64
import os
import pathlib
import shutil
import tempfile
import urllib.request

import api
from cluster import ROOT

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
STAYS = {"evaljob.bench/stays": "true"}  # Pods that do not end by themselves: see stages.yaml


def has_succeeded(item):
    return any(c["type"] == "Succeeded" and c["status"] == "True" for c in item.get("status", {}).get("conditions", []))


def job_of(pod):
    """Of a node's Pod: JOB-NODE-ATTEMPT; JOB-master-0 and JOB-worker-N."""
    return pod.rsplit("-", 2)[0]


class EvalJob:
    name = "evaljob-operator"
    resource = "evaljobs"
    path = "/apis/evaljob.dev/v1alpha1/namespaces/default/evaljobs"
    program = os.environ.get("EVALJOB_OPERATOR", "evaljob-operator")

    def install(self, cluster):
        cluster.api.create(CRDS, (ROOT / "crds/evaljobs.evaljob.dev.yaml").read_text(), "application/yaml")
        api.await_that("EvalJobs are served", lambda: cluster.api.get(self.path))
        self.kubeconfig = cluster.kubeconfig(self.name, f"{self.name}-token")

    def start(self, cluster, identity="pod-1"):
        return cluster.start(self.name, [self.program, "--kubeconfig", self.kubeconfig], env={"POD_UID": identity})

    def await_ready(self, cluster):
        lease = f"/apis/coordination.k8s.io/v1/namespaces/{self.name}/leases/evaljob-operator"
        api.await_that("the Lease is held", lambda: cluster.api.get(lease)["spec"].get("holderIdentity"))

    def job(self, name, stays=False):
        spec = {"numNodes": 4, "storage": {"claimName": "shared"}, "restartPolicy": {"maxRestarts": 100},
                "eval": {"model": {"format": "TorchScript", "path": "model.pt"},
                         "datasets": [{"name": "fashion", "format": "IDX", "path": "images.gz", "labelsPath": "labels.gz",
                                       "task": {"type": "Classification"}}]}}
        if stays:
            spec["template"] = {"metadata": {"labels": STAYS}}
        return {"apiVersion": "evaljob.dev/v1alpha1", "kind": "EvalJob", "metadata": {"name": name}, "spec": spec}


class PyTorchJob:
    name = "training-operator"
    resource = "pytorchjobs"
    path = "/apis/kubeflow.org/v1/namespaces/default/pytorchjobs"
    address = "10.0.0.50"  # of its webhook; on `lo`, because there is no kube-proxy
    certificates = pathlib.Path(tempfile.gettempdir(), "k8s-webhook-server", "serving-certs")
    manifests = pathlib.Path(os.environ.get("EVALJOB_PEER_MANIFESTS", "base"))
    secret = "/api/v1/namespaces/training-operator/secrets/training-operator-webhook-cert"
    hooks = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations"
    kinds = ["jaxjob", "paddlejob", "pytorchjob", "tfjob", "xgboostjob"]

    def install(self, cluster):
        for crd in sorted((self.manifests / "crds").glob("kubeflow.org_*.yaml")):
            cluster.api.create(CRDS, crd.read_text(), "application/yaml")
        api.await_that("PyTorchJobs are served", lambda: cluster.api.get(self.path))
        cluster.api.create(f"/api/v1/namespaces/{self.name}/services", {"metadata": {"name": self.name}, "spec": {
            "clusterIP": self.address, "ports": [{"name": "webhook-server", "port": 443, "targetPort": 9443}]}})
        cluster.api.create(os.path.dirname(self.secret), {"metadata": {"name": os.path.basename(self.secret)}})
        cluster.api.create(self.hooks, {"metadata": {"name": f"validator.{self.name}.kubeflow.org"},
                                        "webhooks": [self._hook(kind) for kind in self.kinds]})
        shutil.rmtree(self.certificates, ignore_errors=True)
        self.kubeconfig = cluster.kubeconfig(self.name, f"{self.name}-token")

    def _hook(self, kind):
        """As in its manifests/base/webhook."""
        return {"name": f"validator.{kind}.training-operator.kubeflow.org", "admissionReviewVersions": ["v1"],
                "failurePolicy": "Fail", "sideEffects": "None",
                "clientConfig": {"service": {"name": self.name, "namespace": self.name, "path": f"/validate-kubeflow-org-v1-{kind}"}},
                "rules": [{"apiGroups": ["kubeflow.org"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": [kind + "s"]}]}

    def start(self, cluster, identity=""):
        return cluster.start(self.name, ["training-operator", "--kubeconfig", self.kubeconfig, "--webhook-server-port", "443"],
                             env={"MY_POD_NAMESPACE": self.name})

    def await_ready(self, cluster):
        self._mount_certificates(cluster)
        api.await_that("it is ready", lambda: urllib.request.urlopen("http://127.0.0.1:8081/readyz").status == 200)

    def _mount_certificates(self, cluster):
        """What a kubelet does: the Secret that it has filled, as files."""
        if not self.certificates.exists():
            secret = api.await_that("its Secret is filled", lambda: cluster.api.get(self.secret).get("data"))
            self.certificates.mkdir(parents=True)
            for name, text in secret.items():
                (self.certificates / name).write_bytes(base64.b64decode(text))

    def job(self, name, stays=False):
        template = {"spec": {"containers": [{"name": "pytorch", "image": "image", "command": ["train"]}]}}
        if stays:
            template["metadata"] = {"labels": STAYS}
        replica = {"restartPolicy": "ExitCode", "template": template}
        return {"apiVersion": "kubeflow.org/v1", "kind": "PyTorchJob", "metadata": {"name": name},
                "spec": {"pytorchReplicaSpecs": {"Master": {"replicas": 1, **replica}, "Worker": {"replicas": 3, **replica}}}}


SYSTEMS = (EvalJob(), PyTorchJob())
