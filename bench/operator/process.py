"""A program that runs beside us: ended with us, and its CPU time and memory as the kernel counts them."""

import ctypes
import os
import signal
import subprocess
import threading

PR_SET_PDEATHSIG = 1
# Nothing else of the caller's environment: it may name certificates, proxies and clusters.
ENVIRONMENT = {name: os.environ[name] for name in ("PATH", "HOME", "TMPDIR") if name in os.environ}
TICKS = os.sysconf("SC_CLK_TCK")


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


class Process:
    def __init__(self, argv, log, env=None, **more):
        self.child = subprocess.Popen(argv, stdout=more.pop("stdout", log), stderr=log, stdin=subprocess.DEVNULL,
                                      env={**ENVIRONMENT, **(env or {})}, preexec_fn=die_with_parent, **more)

    def cpu_seconds(self):
        with open(f"/proc/{self.child.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def memory(self):
        """Bytes: rss (with the program's own pages), anon (what it allocated), peak (of rss, since it started)."""
        names = {"VmRSS": "rss", "RssAnon": "anon", "VmHWM": "peak"}
        with open(f"/proc/{self.child.pid}/status") as file:
            lines = (line.split() for line in file)
            return {names[line[0][:-1]]: int(line[1]) * 1024 for line in lines if line and line[0][:-1] in names}

    def runs(self):
        return self.child.poll() is None

    def end(self, how=signal.SIGTERM, patience=20):
        if self.runs():
            self.child.send_signal(how)
        try:
            self.child.wait(patience)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


class MemoryWatch:
    """The most anonymous memory seen of a process, looked at five times a second."""

    def __init__(self, process):
        self.process, self.most = process, 0
        self.done = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)
        self.thread.start()

    def _look(self):
        while not self.done.wait(0.2):
            try:
                self.most = max(self.most, self.process.memory()["anon"])
            except (OSError, KeyError):
                return

    def end(self):
        self.done.set()
        self.thread.join()
        return self.most
