"""What is in the images: the programs, exactly the libraries that they load, and the few files that those read."""

import pathlib
import re
import subprocess

from archive import Entry, Layer

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
PREFIX = "/usr/local"
TORCH_SITE = f"{PREFIX}/lib/evaljob"  # evaljob-runner/CMakeLists.txt: evaljob-rank's RPATH
USER = 65532
DATASET = pathlib.Path("/usr/share/datasets/fashion-mnist")
EXAMPLE = "/usr/share/evaljob/fashion-mnist"
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"
OF_THE_DRIVER = {"libcuda.so.1", "libnvidia-ml.so.1"}  # mounted into a Pod that has GPUs


def libraries(program: pathlib.Path) -> set[pathlib.Path]:
    """What the dynamic linker loads for a program, under the names that it asks for."""
    listed = subprocess.run(["ldd", str(program)], check=True, capture_output=True, text=True).stdout
    missing = set(re.findall(r"(\S+) => not found", listed)) - OF_THE_DRIVER
    if missing:
        raise SystemExit(f"{program} needs libraries that are not here: {', '.join(sorted(missing))}")
    return {pathlib.Path(path) for path in re.findall(r"(/\S+) \(0x", listed)}


def split(found: set[pathlib.Path], torch: pathlib.Path, built: pathlib.Path) -> tuple[Layer, Layer]:
    """The system's libraries, which keep their paths, and those beside libtorch, which move together. Not those that
    were built here: they are installed."""
    site = torch.resolve().parent
    system, engine = {}, {}
    for library in found:
        real = library.parent.resolve() / library.name
        if real.is_relative_to(built.resolve().parent):
            continue
        if real.is_relative_to(site):
            engine[f"{TORCH_SITE}/{real.relative_to(site)}"] = Entry(source=real, mode=0o755)
        else:
            system[str(library)] = Entry(source=library, mode=0o755)
    return system, engine


def cuda_parts(torch: pathlib.Path) -> Layer:
    """cuDNN, NVRTC and others load parts of themselves by name: with CUDA, their folders are taken whole."""
    site = torch.resolve().parent
    if not (torch / "lib/libtorch_cuda.so").exists():
        return {}
    return {
        f"{TORCH_SITE}/{library.relative_to(site)}": Entry(source=library, mode=0o755)
        for library in sorted(site.glob("nvidia/**/lib/*.so*"))
    }


def copyrights(system: Layer) -> Layer:
    """Debian's licence texts of the packages that the libraries are from."""
    names = [str(path) for path in system]
    found = subprocess.run(["dpkg", "-S", *names, *(f"/usr{name}" for name in names)], capture_output=True, text=True, check=False)
    packages = {line.split(":")[0] for line in found.stdout.splitlines() if not line.startswith("diversion")}
    texts = {f"/usr/share/doc/{package}/copyright" for package in packages}
    return {text: Entry(source=pathlib.Path(text)) for text in texts if pathlib.Path(text).exists()}


def settled() -> Layer:
    """What every image has: a user without rights, a folder for temporary files, how names are looked up, whom to trust."""
    return {
        AUTHORITIES: Entry(source=pathlib.Path(AUTHORITIES)),
        "/etc/passwd": Entry(
            text=f"root:x:0:0:root:/:/sbin/nologin\nevaljob:x:{USER}:{USER}:evaljob:/tmp:/sbin/nologin\n"
        ),
        "/etc/group": Entry(text=f"root:x:0:\nevaljob:x:{USER}:\n"),
        "/etc/nsswitch.conf": Entry(text="hosts: files dns\n"),
        # ldconfig is run by the NVIDIA container runtime; without this it would leave out Debian's folder.
        "/etc/ld.so.conf": Entry(text="/lib/x86_64-linux-gnu\n/usr/lib/x86_64-linux-gnu\n"),
        "/tmp": Entry(mode=0o1777),
        "/usr/share/doc/evaljob/LICENSE": Entry(source=REPOSITORY / "LICENSE"),
    }


def program(folder: pathlib.Path, name: str) -> Layer:
    return {f"{PREFIX}/bin/{name}": Entry(source=folder / name, mode=0o755)}


def operator_layers(built: pathlib.Path, installed: pathlib.Path, torch: pathlib.Path) -> dict[str, Layer]:
    system, _ = split(libraries(built / "evaljob-operator"), torch, built)
    return {
        "system": {**system, **copyrights(system), **settled()},
        "evaljob": program(installed, "evaljob-operator"),
    }


def runner_layers(built: pathlib.Path, installed: pathlib.Path, torch: pathlib.Path) -> dict[str, Layer]:
    copy = pathlib.Path("/bin/cp")  # the example's Job puts the model on the volume with it
    found = libraries(built / "evaljob-runner") | libraries(built / "evaljob-rank") | libraries(copy)
    system, engine = split(found, torch, built)
    if not engine:
        raise SystemExit(f"{built / 'evaljob-rank'} loads another libtorch than {torch}: build it with EVALJOB_TORCH_DIR={torch}")
    example = {f"{EXAMPLE}/model.pt": Entry(source=REPOSITORY / "examples/fashion-mnist/model.pt")}
    for part in ("images-idx3", "labels-idx1"):  # where Debian's package has them, so that one EvalJob file serves all
        file = DATASET / f"t10k-{part}-ubyte.gz"
        example[str(file)] = Entry(source=file)
    system[str(copy)] = Entry(source=copy, mode=0o755)
    beside = installed.parent / TORCH_SITE.removeprefix(f"{PREFIX}/")
    for library in beside.glob("torch/lib/*"):  # libtorch.so, which packages of AOTInductor ask for
        engine[f"{TORCH_SITE}/{library.relative_to(beside)}"] = Entry(source=library, mode=0o755)
    return {
        "system": {**system, **copyrights(system), **settled()},
        "libtorch": {**engine, **cuda_parts(torch)},
        "example": example,
        "evaljob": {**program(installed, "evaljob-runner"), **program(installed, "evaljob-rank")},
    }


def settings(name: str, version: str) -> dict:
    about = {
        "operator": "EvalJob's operator: makes EvalJobs happen in a Kubernetes cluster",
        "runner": "EvalJob's runner: a node of an evaluation, or its merge",
    }
    variables = {
        "operator": [],
        "runner": ["NVIDIA_DRIVER_CAPABILITIES=compute,utility"],  # which GPUs is Kubernetes' to say
    }
    return {
        "User": f"{USER}:{USER}",
        "Env": [f"PATH={PREFIX}/bin:/usr/bin:/bin", f"SSL_CERT_FILE={AUTHORITIES}", *variables[name]],
        "Entrypoint": [f"{PREFIX}/bin/evaljob-{name}"],
        "WorkingDir": "/tmp",
        "Labels": {
            "org.opencontainers.image.title": f"evaljob-{name}",
            "org.opencontainers.image.description": about[name],
            "org.opencontainers.image.version": version,
            "org.opencontainers.image.licenses": "Apache-2.0",
        },
    }


LAYERS = {"operator": operator_layers, "runner": runner_layers}
