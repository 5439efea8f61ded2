"""The images as tar files: well formed, the same bytes from the same programs, and programs that start in nothing else.

usage: images_test.py BUILD TORCH
"""

import hashlib
import json
import os
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import unittest

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD, TORCH = (pathlib.Path(argument) for argument in sys.argv[1:])
# /proc as in any container: the dynamic linker finds out through it where a program lies.
START = 'mkdir -p "$0/proc" && mount -t proc proc "$0/proc" && exec chroot --userspec=65532:65532 "$0" "$@"'


def build(out: pathlib.Path) -> None:
    command = [sys.executable, REPOSITORY / "images/build.py", BUILD, TORCH, out]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def sha256(file: pathlib.Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


class Images(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = tempfile.TemporaryDirectory()
        cls.out = pathlib.Path(cls.work.name, "images")
        build(cls.out)
        cls.unpacked = {name: cls.unpack(name) for name in ("operator", "runner")}

    @classmethod
    def tearDownClass(cls):
        cls.work.cleanup()

    @classmethod
    def unpack(cls, name):
        """(what manifest.json says of the image, its folder, its root file system)"""
        folder = cls.out.parent / name
        with tarfile.open(cls.out / f"evaljob-{name}.tar") as archive:
            archive.extractall(folder)
        [image] = json.loads((folder / "manifest.json").read_text())
        root = folder / "root"
        for layer in image["Layers"]:
            with tarfile.open(folder / layer) as content:
                content.extractall(root)
        return image, folder, root

    def test_names_are_digests_of_what_they_name(self):
        for name, (image, folder, _) in self.unpacked.items():
            with self.subTest(name):
                config = json.loads((folder / image["Config"]).read_text())
                self.assertEqual(image["Config"], sha256(folder / image["Config"]) + ".json")
                layers = [sha256(folder / layer) for layer in image["Layers"]]
                self.assertEqual(image["Layers"], [f"{digest}.tar" for digest in layers])
                self.assertEqual(config["rootfs"]["diff_ids"], [f"sha256:{digest}" for digest in layers])
                self.assertEqual(image["RepoTags"], [f"evaljob-{name}:{config['config']['Labels']['org.opencontainers.image.version']}"])

    def test_the_same_programs_give_the_same_bytes(self):
        again = self.out.parent / "again"
        build(again)
        for name in self.unpacked:
            with self.subTest(name):
                self.assertEqual(sha256(again / f"evaljob-{name}.tar"), sha256(self.out / f"evaljob-{name}.tar"))

    def test_runs_as_a_number_that_is_not_root(self):  # a kubelet cannot check runAsNonRoot for a name
        for name, (image, folder, _) in self.unpacked.items():
            with self.subTest(name):
                user = json.loads((folder / image["Config"]).read_text())["config"]["User"]
                self.assertRegex(user, r"^[1-9]\d*:[1-9]\d*$")

    def test_the_dockerfiles_say_the_same(self):
        for name, (image, folder, _) in self.unpacked.items():
            with self.subTest(name):
                config = json.loads((folder / image["Config"]).read_text())["config"]
                said = (REPOSITORY / f"images/{name}.Dockerfile").read_text().replace("\\\n", " ").splitlines()
                self.assertIn(f"USER {config['User']}", said)
                self.assertIn(f"WORKDIR {config['WorkingDir']}", said)
                self.assertIn(f"ENTRYPOINT {json.dumps(config['Entrypoint'])}", said)
                self.assertIn("ENV " + " ".join(config["Env"]), said)
                [labels] = [line for line in said if line.startswith("LABEL ")]
                self.assertEqual(config["Labels"], dict(re.findall(r'(\S+)="([^"]*)"', labels)))

    def test_nothing_of_this_machine_is_in_the_programs(self):
        for name, programs in (("operator", ["evaljob-operator"]), ("runner", ["evaljob-runner", "evaljob-rank"])):
            for program in programs:
                with self.subTest(program):
                    file = self.unpacked[name][2] / "usr/local/bin" / program
                    listed = subprocess.run(["readelf", "-d", file], check=True, capture_output=True, text=True).stdout
                    self.assertNotIn(str(TORCH), listed)

    @unittest.skipUnless(os.geteuid() == 0, "a root file system of one's own needs root")
    def test_the_programs_start_with_nothing_but_the_image(self):
        starts = [("operator", "evaljob-operator"), ("runner", "evaljob-runner"), ("runner", "evaljob-rank"), ("runner", "cp")]
        for name, program in starts:
            with self.subTest(program):
                command = ["unshare", "--mount", "--pid", "--fork", "sh", "-c", START, self.unpacked[name][2], program, "--version"]
                environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
                ran = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
                self.assertEqual((ran.returncode, ran.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
