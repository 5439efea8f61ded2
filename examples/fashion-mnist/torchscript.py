"""Saves a module as TorchScript."""

import io
import pathlib

import torch

import idx


def save(module, path, extra_files=None):
    """Writes the module as TorchScript, without the debug records: they hold the paths of source files, which differ from
    machine to machine."""
    full, lean = io.BytesIO(), io.BytesIO()
    torch.jit.save(torch.jit.script(module), full, _extra_files=extra_files or {})
    full.seek(0)
    reader = torch._C.PyTorchFileReader(full)
    writer = torch._C.PyTorchFileWriter(lean)
    for name in reader.get_all_records():
        if not name.endswith(".debug_pkl") and name not in ("version", "byteorder", ".data/serialization_id"):
            record = reader.get_record(name)
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()
    try:
        pathlib.Path(path).write_bytes(lean.getvalue())
    except OSError as error:
        idx.fail(f"cannot write {path} ({error.strerror}): name a writable file with --out")
