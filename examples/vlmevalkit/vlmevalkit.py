#!/usr/bin/env python3
"""Runs a model class of VLMEvalKit, by its generate(message, dataset), as a program of engine Command (docs/runner.md).

    vlmevalkit.py MODEL [--kwargs JSON] [--prompt TEXT] [--datasets JSON]

MODEL is a name in vlmeval.config.supported_VLM, or MODULE:CLASS; modules are also looked for in the program's folder.
It needs nothing but Python and what the model needs. README.md tells what is different from VLMEvalKit's own run.py.
"""

import argparse
import base64
import importlib
import json
import os
import pathlib
import random
import re
import string
import sys
import tempfile
import traceback

# Who is told of these looks for its peers. A program of engine Command has none: it is one process, with its own GPUs.
OF_RANKS = re.compile("(RANK|WORLD_SIZE|LOCAL_RANK|LOCAL_WORLD_SIZE|GROUP_RANK|NODE_RANK|NNODES|NPROC_PER_NODE"
                      "|MASTER_ADDR|MASTER_PORT|PET_.*)")
NOT_HANDED_ON = ("maxNewTokens", "temperature", "topP", "stop")
KINDS = ((b"\x89PNG\r\n\x1a\n", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"GIF8", ".gif"), (b"RIFF", ".webp"), (b"BM", ".bmp"))


def take_streams():
    """The two streams to the rank, for the protocol alone. What anybody else reads on standard input is empty; what
    anybody else writes on standard output, libraries in C and child processes too, goes to standard error."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return requests, answers


def load_model(name, arguments):
    for variable in [v for v in os.environ if OF_RANKS.fullmatch(v)]:
        del os.environ[variable]
    sys.path.insert(0, os.getcwd())
    if ":" in name:
        module, _, make = name.partition(":")
        return getattr(importlib.import_module(module), make)(**arguments)
    models = importlib.import_module("vlmeval.config").supported_VLM
    if name not in models:
        sys.exit(f"{name} is not in vlmeval.config.supported_VLM, which has {len(models)} models; MODULE:CLASS names any other")
    return models[name](**arguments)


def library(name):
    """For the report: the model, and the versions of what computes it."""
    loaded = [(module, getattr(sys.modules.get(module), "__version__", None)) for module in ("vlmeval", "torch", "transformers")]
    return ", ".join([name] + [f"{module} {version}" for module, version in loaded if version])


def set_seeds(seed):
    random.seed(seed)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(seed)
    if "torch" in sys.modules:
        sys.modules["torch"].manual_seed(seed)  # of the GPUs too


def device_is_lost():
    """After some CUDA errors a process cannot compute any more; the rank starts another one if this one ends."""
    torch = sys.modules.get("torch")
    try:
        if torch is not None and torch.cuda.is_initialized():
            torch.cuda.synchronize()
    except Exception:
        return True
    return False


def listed(value):
    return value if isinstance(value, list) else [value]


def image_files(sample, folder, scratch):
    """The images as generate() wants them, by their paths: files beside the dataset, or base64 written into files."""
    if not sample.get("image"):
        return [os.path.join(folder, path) for path in listed(sample.get("image_path") or [])]
    paths = []
    for number, image in enumerate(listed(sample["image"])):
        if image.startswith(("http://", "https://")):
            paths.append(image)
            continue
        text = image.partition(",")[2] if image.startswith("data:") else image
        content = base64.b64decode("".join(text.split()), validate=True)
        suffix = next((suffix for start, suffix in KINDS if content.startswith(start)), None)
        if suffix is None:
            raise ValueError("an image is no PNG, JPEG, GIF, WebP or BMP file")
        file = pathlib.Path(scratch, f"{number}{suffix}")
        file.write_bytes(content)
        paths.append(str(file))
    return paths


def prompt_of(sample, template):
    letters = [letter for letter in string.ascii_uppercase if sample.get(letter) not in (None, "")]  # there may be gaps
    members = {"options": "\n".join(f"{letter}. {sample[letter]}" for letter in letters), **sample}
    if template is None:
        template = "{question}\n{options}\nAnswer with the letter of the right option." if letters else "{question}"

    def member(match):
        if match[1] not in members:
            raise ValueError(f"the sample has no {match[1]}, which the prompt names")
        return str(members[match[1]])

    return re.sub(r"\{([^{}]+)\}", member, template)


def answer(model, request, arguments, scratch):
    given = [name for name in NOT_HANDED_ON if name in request]
    if given:
        raise ValueError(f"task.{given[0]}: VLMEvalKit's generate() takes none; name it in the model's --kwargs instead")
    images = image_files(request["input"], request["folder"], scratch)
    message = [{"type": "image", "value": path} for path in images]
    message.append({"type": "text", "value": prompt_of(request["input"], arguments.prompt)})
    set_seeds(request["seed"])
    text = model.generate(message=message, dataset=arguments.datasets.get(request["dataset"]))
    if not isinstance(text, str):
        raise TypeError(f"generate() gave no text but {type(text).__name__}")
    # Models behind an API say so in the text that they return.
    failure = getattr(model, "fail_msg", None)
    if isinstance(failure, str) and failure and failure in text:
        raise RuntimeError(text)
    return text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("--kwargs", type=json.loads, default={}, help="the model's arguments, as a JSON object")
    parser.add_argument("--prompt", help="a text with the sample's members in braces; {options}: its columns A, B, …, a "
                        "line each (default: {question}, and options if there are any)")
    parser.add_argument("--datasets", type=json.loads, default={}, help='what the model is told that a dataset is, by its '
                        'name in the EvalJob: {"mmbench": "MMBench_DEV_EN"} (default: None)')
    arguments = parser.parse_args()
    requests, answers = take_streams()

    def say(message):
        answers.write(json.dumps(message).encode() + b"\n")
        answers.flush()

    model = load_model(arguments.model, arguments.kwargs)
    say({"ready": True, "library": library(arguments.model)})
    for line in requests:
        request = json.loads(line)
        said = {"request": request["request"]}
        with tempfile.TemporaryDirectory(prefix="vlmevalkit-") as scratch:
            try:
                said["prediction"] = answer(model, request, arguments, scratch)
            except Exception as error:
                traceback.print_exc()
                if device_is_lost():
                    sys.exit("the device cannot compute any more")
                # Errors stand in the results, which are the same in each run.
                said["error"] = f"{type(error).__name__}: {error}".replace(scratch + "/", "")
        say(said)


if __name__ == "__main__":
    main()
