"""Programs in the background, each with a log, and waiting for what they make true."""

import pathlib
import subprocess
import time


class Programs:
    """Ended in the reverse order of their start."""

    def __init__(self, logs: pathlib.Path):
        self.logs = logs
        self.running: dict[str, subprocess.Popen] = {}
        logs.mkdir(parents=True, exist_ok=True)

    def start(self, name: str, *command: object, network: str = "") -> None:
        """`network` is a network namespace's name; nsenter, since `ip netns exec` would hide the cgroups."""
        enter = ["nsenter", f"--net=/run/netns/{network}", "--"] if network else []
        with (self.logs / f"{name}.log").open("ab") as log:
            self.running[name] = subprocess.Popen([*enter, *map(str, command)], stdout=log, stderr=log)

    def stop(self, name: str) -> None:
        program = self.running.pop(name)
        program.terminate()
        try:
            program.wait(20)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()

    def stop_all(self) -> None:
        for name in reversed(list(self.running)):
            self.stop(name)

    def check(self) -> None:
        for name, program in self.running.items():
            if program.poll() is not None:
                last = (self.logs / f"{name}.log").read_text(errors="replace").splitlines()[-5:]
                raise SystemExit("\n".join([f"{name} has ended with {program.returncode}:", *last]))

    def wait_until(self, what: str, holds, seconds: float = 120):
        """Returns what `holds` does, once that is something."""
        end = time.monotonic() + seconds
        while not (found := holds()):
            self.check()
            if time.monotonic() > end:
                raise SystemExit(f"not so after {seconds:.0f} s: {what}")
            time.sleep(0.2)
        return found


def run(*command: object, text: str | None = None) -> str:
    """Runs to the end; a failure says what the program said."""
    ran = subprocess.run([*map(str, command)], input=text, capture_output=True, text=True, check=False)
    if ran.returncode:
        raise SystemExit(f"{' '.join(map(str, command))}: {ran.stderr.strip() or ran.stdout.strip()}")
    return ran.stdout


def succeeds(*command: object) -> bool:
    return subprocess.run([*map(str, command)], capture_output=True, check=False).returncode == 0
