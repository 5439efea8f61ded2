"""An image as a docker-archive: layer tars, a config, manifest.json. The same files give the same bytes."""

import dataclasses
import hashlib
import io
import json
import pathlib
import tarfile
import tempfile

EPOCH = "1970-01-01T00:00:00Z"  # every time in an image, so that the digest is of what is in it


@dataclasses.dataclass(frozen=True)
class Entry:
    """A file of a layer: from a path of this machine, or from text; with a folder's mode, a folder."""

    source: pathlib.Path | None = None
    text: str | None = None
    mode: int = 0o644


FOLDER = Entry(mode=0o755)
Layer = dict[str, Entry]  # by absolute path in the image


def with_parents(layer: Layer) -> Layer:
    full = dict(layer)
    for path in layer:
        for parent in pathlib.PurePosixPath(path).parents:
            full.setdefault(str(parent), FOLDER)
    del full["/"]
    return full


def tar_member(path: str, entry: Entry) -> tarfile.TarInfo:
    member = tarfile.TarInfo(path.lstrip("/"))
    member.mode = entry.mode
    if entry.source is None and entry.text is None:
        member.type = tarfile.DIRTYPE
    else:
        member.size = entry.source.stat().st_size if entry.source else len(entry.text.encode())
    return member


def write_layer(layer: Layer, place: pathlib.Path) -> None:
    with tarfile.open(place, "w", format=tarfile.USTAR_FORMAT) as tar:
        for path, entry in sorted(with_parents(layer).items()):
            if entry.source:
                with entry.source.open("rb") as content:
                    tar.addfile(tar_member(path, entry), content)
            else:
                tar.addfile(tar_member(path, entry), io.BytesIO((entry.text or "").encode()))


def digest_of(place: pathlib.Path) -> str:
    with place.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def image_config(settings: dict, layers: dict[str, str]) -> bytes:
    """`layers` are names by digest, in order."""
    return json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": EPOCH,
            "config": settings,
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}" for digest in layers]},
            "history": [{"created": EPOCH, "created_by": f"images/build.py: {name}"} for name in layers.values()],
        },
        sort_keys=True,
    ).encode()


def write_image(tag: str, settings: dict, layers: dict[str, Layer], place: pathlib.Path) -> str:
    """Writes the archive and returns the image's digest, which a kubelet calls its id."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as work:
        digests, files = {}, {}
        for name, layer in layers.items():
            file = pathlib.Path(work, name)
            write_layer(layer, file)
            digest = digest_of(file)
            digests[digest] = name
            files[f"{digest}.tar"] = Entry(source=file)
        config = image_config(settings, digests)
        image_id = hashlib.sha256(config).hexdigest()
        files[f"{image_id}.json"] = Entry(text=config.decode())
        manifest = [{"Config": f"{image_id}.json", "RepoTags": [tag], "Layers": [f"{digest}.tar" for digest in digests]}]
        files["manifest.json"] = Entry(text=json.dumps(manifest))
        new = pathlib.Path(work, "image.tar")
        with tarfile.open(new, "w", format=tarfile.USTAR_FORMAT) as tar:
            for path, entry in sorted(files.items()):
                content = entry.source.open("rb") if entry.source else io.BytesIO(entry.text.encode())
                with content:
                    tar.addfile(tar_member(path, entry), content)
        new.rename(place)
    return image_id
