"""What the built-in page says of an image (runtime/page/facts.py), from files laid out as in one."""

import os
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).parents[2] / "runtime" / "page"))
import facts  # noqa: E402

SPEC = """
[image]
name = "somebody's"
[cuda]
version = "13.0"
[services.lab]
preset = "jupyterlab"
port = 8888
command = ["python", "start.py", "--ServerApp.base_url=/team/lab/"]
ready = { tcp = 8888 }
"""
PACKAGES = "libc6 2.36-9 deb bookworm/main\nnumpy 2.1.0 wheel default\n"


class FactsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.etc = Path(folder.name) / "etc"
        self.site = Path(folder.name) / "site"
        self.etc.mkdir()
        (self.etc / "spec.toml").write_text(SPEC)
        (self.etc / "packages").write_text(PACKAGES)
        for patch in (mock.patch.object(facts, "ETC", self.etc),
                      mock.patch.object(sys, "path", [str(self.site)]),
                      mock.patch.dict(os.environ)):
            patch.start()
            self.addCleanup(patch.stop)
        os.environ.pop("CUDA_HOME", None)
        for remembered in (facts.spec, facts.ports, facts.cuda_version):
            remembered.cache_clear()

    def install(self, name: str, version: str):
        info = self.site / f"{name.replace(chr(45), chr(95))}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")

    def test_packages_are_pythons_as_installed_and_debians_as_locked(self):
        self.install("numpy", "2.2.0")  # newer than the image
        self.install("Zope_x", "1")
        self.assertEqual(facts.packages(), [("numpy", "2.2.0", "Python"), ("Zope_x", "1", "Python"),
                                            ("libc6", "2.36-9", "Debian")])
        self.assertEqual(facts.packages(" LIBC"), [("libc6", "2.36-9", "Debian")])
        self.assertEqual(facts.packages("zope-X"), [("Zope_x", "1", "Python")])

    def test_an_image_without_its_files_is_no_error(self):
        for path in self.etc.iterdir():
            path.unlink()
        self.assertEqual((facts.name(), facts.packages(), facts.jupyter_url("h"), facts.cuda()),
                         ("environment", [], None, None))

    def test_cuda_is_the_specs_or_that_of_the_runtime_that_a_package_brought(self):
        self.assertIsNone(facts.cuda())
        facts.cuda_version.cache_clear()
        self.install("nvidia-cuda-runtime-cu12", "12.8.90")
        self.assertRegex(facts.cuda(), r"^CUDA 12\.8 \(")
        facts.cuda_version.cache_clear()
        os.environ["CUDA_HOME"] = "/usr/local/cuda"
        self.assertRegex(facts.cuda(), r"^CUDA 13\.0 \(")

    def test_jupyter_is_where_its_port_is_published(self):
        self.assertEqual(facts.jupyter_url("host"), "http://host:8888/team/lab/lab")
        os.environ["IMGBUILD_PORT_8888"] = "49152"
        self.assertEqual(facts.jupyter_url("::1"), "http://[::1]:49152/team/lab/lab")


if __name__ == "__main__":
    unittest.main()
