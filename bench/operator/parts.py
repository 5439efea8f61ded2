"""What is measured. Each part has a control plane and an operator of its own, and answers with plain numbers."""

import concurrent.futures
import signal
import sys
import time

import api
import audit
import metrics
from cluster import Cluster, account
from process import MemoryWatch
from systems import has_succeeded, job_of

PODS = 4
RATE = 50  # jobs created a second, whether they are kept up with or not
SETTLE = 10  # seconds after the last job that still count


def percentile(values, percent):
    values = sorted(values)
    return values[min(len(values) - 1, int(len(values) * percent / 100))]


class Running:
    """One of the two at work on a fresh control plane. It has made one job already, so that nothing is done for the first time."""

    def __init__(self, system):
        self.system, self.cluster = system, Cluster([system.name])
        self.api, self.user = self.cluster.api, account(system.name)

    def __enter__(self):
        try:
            self.system.install(self.cluster)
            self.operator = self.system.start(self.cluster)
            self.system.await_ready(self.cluster)
            time.sleep(3)
            self.idle = self.operator.memory()
            self.finished = api.Finished(self.api, self.system.path, has_succeeded)
            api.await_that("a job is accepted", lambda: self.api.create(self.system.path, self.system.job("first")))
            self.finished.wait(["first"], 180)
            return self
        except BaseException as error:
            self.__exit__(type(error))
            raise

    def __exit__(self, failure, *_):
        if failure:
            print(self.cluster.last_words(self.system.name), file=sys.stderr)
        self.cluster.end()

    def restart_for(self, seconds):
        """As a kubelet: an operator that ends (it has lost its Lease) is started again. How often that was."""
        starts, until = 0, time.monotonic() + seconds
        while time.monotonic() < until:
            if not self.operator.runs():
                starts += 1
                self.operator = self.system.start(self.cluster)
            time.sleep(1)
        return starts

    def made(self, since):
        """The Pods that the operator made from then on, in order, with the time of the answer."""
        return [(entry.name, entry.end) for entry in audit.creations(self.cluster.audit(since), "pods", self.user)]

    def make_staying(self, name):
        """A job whose Pods run until they are told otherwise."""
        begin = time.time()
        self.api.create(self.system.path, self.system.job(name, stays=True))
        return api.await_that("its Pods run", lambda: self.running(name, begin))

    def running(self, job, since):
        names = [pod for pod, _ in self.made(since) if job_of(pod) == job]
        pods = [self.api.get(f"/api/v1/namespaces/default/pods/{name}") for name in names]
        running = [pod for pod in pods if pod["status"].get("phase") == "Running"]
        return running if len(running) == PODS else None


def burst(system, jobs, patience):
    """Jobs in open loop: memory, CPU, requests, and when their Pods were made."""
    with Running(system) as run:
        names = [f"b-{i:05}" for i in range(jobs)]
        cpu, begin, most = run.operator.cpu_seconds(), time.time(), MemoryWatch(run.operator)
        create_at_rate(run, names)
        times = run.finished.wait(names, patience)
        time.sleep(SETTLE)
        entries = run.cluster.audit(begin)
        settled = run.operator.memory()
        cpu, anon = run.operator.cpu_seconds() - cpu, most.end()
        own = [entry for entry in entries if entry.user == run.user]
        latencies = pods_made_after(entries, run, names)
        return {
            "jobs": jobs, "cpu_ms_per_job": 1000 * cpu / jobs,
            "requests_per_job": len(own) / jobs, "requests_of_all_per_job": len(entries) / jobs,
            "requests_by_verb": audit.count_by_verb(entries, run.user), "requests_by_agent": audit.count_by_agent(entries),
            "idle": run.idle, "settled": settled, "peak_rss": settled["peak"], "peak_anon": anon,
            "pods_made_p50_s": percentile(latencies, 50), "pods_made_p99_s": percentile(latencies, 99),
            "all_finished_s": max(times.values()) - begin,
        }


def create_at_rate(run, names, stays=False):
    begin = time.monotonic()

    def create(numbered):
        i, name = numbered
        time.sleep(max(0.0, begin + i / RATE - time.monotonic()))
        run.api.create(run.system.path, run.system.job(name, stays))

    with concurrent.futures.ThreadPoolExecutor(16) as threads:
        list(threads.map(create, enumerate(names)))


def pods_made_after(entries, run, names):
    """Of each job: seconds from the request that created it to the answer to the creation of its last Pod."""
    created = {entry.name: entry.begin for entry in audit.creations(entries, run.system.resource)}
    made = {}
    for entry in audit.creations(entries, "pods", run.user):
        made.setdefault(job_of(entry.name), []).append(entry.end)
    return [sorted(made[name])[PODS - 1] - created[name] for name in names]


def fleet(system, jobs, away):
    """Many jobs that run at once; the API server goes away for some seconds and comes back; then all of them end."""
    with Running(system) as run:
        names, begin = [f"f-{i:05}" for i in range(jobs)], time.time()
        meter = Meter(run.operator)
        create_at_rate(run, names, stays=True)
        api.await_that("all Pods run", lambda: running_pods(run) == jobs * PODS, patience=1800, pause=2)
        answers = {"jobs": jobs, "away_s": away, "all_running_s": time.time() - begin, "made": meter.read()}
        time.sleep(SETTLE)
        meter.read()
        time.sleep(60)
        answers["at_rest"] = meter.read()
        run.cluster.end_api_server()
        answers["starts"] = run.restart_for(away)
        meter.operator = run.operator
        answers["away"] = meter.read()
        back = time.time()
        run.cluster.start_api_server()
        let_end(run, jobs * PODS)
        answers["back"] = {"all_told_to_end_s": time.time() - back}
        times = run.finished.wait(names, 1800)
        answers["ended"] = meter.read()
        answers["ended"]["all_finished_s"] = max(times.values()) - back
        answers["restarts"] = sum(item["status"].get("restarts", 0) for item in run.api.get(system.path)["items"])
        return answers


class Meter:
    """What an operator has used since it was last read: CPU, memory, requests, and how long jobs waited to be worked on."""

    def __init__(self, operator):
        self.operator = operator
        self.read()

    def read(self):
        now, before = (time.time(), self.operator.cpu_seconds(), metrics.read(), self.operator), getattr(self, "before", None)
        self.before = now
        if not before:
            return {}
        if now[3] is not before[3]:  # another process: what the one before it used since then went with it
            before = (before[0], 0, {}, now[3])
        waits = metrics.by_label(now[2], before[2], "workqueue_queue_duration_seconds_bucket", "le")
        return {"seconds": now[0] - before[0], "cpu_s": now[1] - before[1], **self.operator.memory(),
                "requests": metrics.by_label(now[2], before[2], "rest_client_requests_total", "code"),
                "reconciles": metrics.by_label(now[2], before[2], "controller_runtime_reconcile_total", "result"),
                "queued_p50_below_s": metrics.quantile(waits, 0.5), "queued_p99_below_s": metrics.quantile(waits, 0.99)}


def running_pods(run):
    found, more = 0, ""
    while True:
        page = run.api.get(f"/api/v1/namespaces/default/pods?limit=500&labelSelector=evaljob.bench/stays%3Dtrue{more}")
        found += sum(pod["status"].get("phase") == "Running" for pod in page["items"])
        if not page["metadata"].get("continue"):
            return found
        more = "&continue=" + page["metadata"]["continue"]


def let_end(run, count):
    """Pods that stay are told to succeed."""
    path = "/api/v1/namespaces/default/pods"
    names = api.await_that("Pods are listed", lambda: [pod["metadata"]["name"] for pod in run.api.get(path)["items"]
                                                       if "evaljob.bench/stays" in pod["metadata"]["labels"]], patience=180)
    assert len(names) == count, f"{len(names)} Pods run after the outage, {count} before"

    def tell(name):
        api.await_that("it is told", lambda: run.api.patch(f"{path}/{name}", {"metadata": {"labels": {"evaljob.bench/stays": None}}}))

    with concurrent.futures.ThreadPoolExecutor(8) as threads:
        list(threads.map(tell, names))


def one_at_a_time(system, jobs):
    """The next job is made when the last has finished."""
    with Running(system) as run:
        names, begin, finished = [f"s-{i:03}" for i in range(jobs)], time.time(), {}
        for name in names:
            run.api.create(run.system.path, run.system.job(name))
            finished.update(run.finished.wait([name], 60))
        entries = run.cluster.audit(begin)
        created = {entry.name: entry.begin for entry in audit.creations(entries, system.resource)}
        first = {}
        for entry in audit.creations(entries, "pods", run.user):
            first.setdefault(job_of(entry.name), entry.end)
        return {"jobs": jobs, **spread("first_pod_ms", [1000 * (first[name] - created[name]) for name in names]),
                **spread("all_pods_ms", [1000 * seconds for seconds in pods_made_after(entries, run, names)]),
                **spread("finished_ms", [1000 * (finished[name] - created[name]) for name in names])}


def spread(name, values):
    return {f"{name}_p50": percentile(values, 50), f"{name}_p99": percentile(values, 99)}


def failed_pod(system, times):
    """From a Pod's failure in the API server to the answer to the creation of its replacement."""
    with Running(system) as run:
        delays = []
        for i in range(times):
            job, begin = f"f-{i:03}", time.time()
            victim = run.make_staying(job)[-1]
            name, before = victim["metadata"]["name"], time.time()
            fail(run, victim)
            patched = next(entry.end for entry in run.cluster.audit(before)
                           if entry.verb == "patch" and entry.resource == "pods/status" and entry.name == name and entry.agent == "bench")
            made = api.await_that("its replacement", lambda: [end for pod, end in run.made(begin)[PODS:] if job_of(pod) == job])
            delays.append(1000 * (made[0] - patched))
            run.api.delete(f"{system.path}/{job}")
        return {"times": times, **spread("replaced_ms", delays)}


def fail(run, pod):
    name = pod["metadata"]["name"]
    statuses = [{**status, "ready": False, "state": {"terminated": {"exitCode": 137, "reason": "Error"}}}
                for status in pod["status"]["containerStatuses"]]
    run.api.patch(f"/api/v1/namespaces/default/pods/{name}/status", {"status": {"phase": "Failed", "containerStatuses": statuses}})


def start_ups(system, times):
    """From the start of the program to the first thing that it does: a Pod that went while it was down is made again."""
    with Running(system) as run:
        answers = {}
        for how in starts_of(system):
            answers.update(spread(f"{how}_ms", [1000 * start_up(run, how, i) for i in range(times)]))
        return {"times": times, **answers}


def starts_of(system):
    """The peer is shipped without leader election, so it has no identity; ours is shipped with it."""
    if system.resource == "evaljobs":
        return ["after_clean_end", "killed_same_identity", "killed_other_identity"]
    return ["after_clean_end", "killed"]


def start_up(run, how, i):
    run.operator.end()
    run.operator = run.system.start(run.cluster)
    run.system.await_ready(run.cluster)
    job = f"u-{how.replace('_', '-')}-{i}"
    pods = api.await_that("a job is accepted", lambda: run.make_staying(job))
    identity = f"pod-{time.time()}" if how == "killed_other_identity" else "pod-1"
    name = pods[-1]["metadata"]["name"]
    run.operator.end(signal.SIGTERM if how == "after_clean_end" else signal.SIGKILL)
    run.api.delete(f"/api/v1/namespaces/default/pods/{name}", gracePeriodSeconds=0)
    begin = time.time()
    run.operator = run.system.start(run.cluster, identity=identity)
    made = api.await_that("the Pod is made again", lambda: [end for pod, end in run.made(begin) if job_of(pod) == job])
    run.api.delete(f"{run.system.path}/{job}")
    return made[0] - begin

