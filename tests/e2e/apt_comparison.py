"""Compares the Debian packages that imgbuild chooses with those of apt-get, on an empty system and
without Recommends. Prints the table of docs/debian-resolution.md and fails where anything differs
that is not explained there.

Usage: apt_comparison.py IMGBUILD FOLDER
"""

import datetime
import json
import os
import pathlib
import subprocess
import sys

program, folder = sys.argv[1], pathlib.Path(sys.argv[2]).resolve()
SUITES = ("bookworm", "trixie")
SETS = """
python3
git
nodejs
postgresql-client
build-essential
ffmpeg
r-base-core
texlive-latex-base
libreoffice-core
default-jdk-headless
curl
octave
gnome-core
default-jre
emacs-nox
vim
gcc
clang
python3-numpy
python3-pandas
postgresql
nginx
openssh-client
imagemagick
gdal-bin
python3-venv ca-certificates tzdata
""".strip().splitlines()
# What apt takes besides, for the reason that the document gives.
SUPERFLUOUS = {
    ("gnome-core", "bookworm"): {"fonts-dejavu-core"},
    ("gnome-core", "trixie"): {"fonts-dejavu-core", "fonts-dejavu-mono", "pinentry-curses"},
}


class Apt:
    """One of its own: no package installed, lists of one suite with its updates and security."""

    def __init__(self, root, suite, mirrors):
        for name in ("etc/parts", "lists/partial", "cache/archives/partial"):
            (root / name).mkdir(parents=True)
        (root / "status").touch()
        line = "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] {} {} main\n"
        (root / "sources.list").write_text(
            line.format(mirrors["debian"], suite) + line.format(mirrors["debian"], suite + "-updates")
            + line.format(mirrors["debian-security"], suite + "-security"))
        settings = {
            "Dir::Etc": root / "etc", "Dir::Etc::sourcelist": root / "sources.list",
            "Dir::Etc::sourceparts": "-", "Dir::Etc::parts": "parts", "Dir::State": root,
            "Dir::State::lists": root / "lists", "Dir::State::status": root / "status",
            "Dir::Cache": root / "cache", "APT::Install-Recommends": "false",
            "APT::Architecture": "amd64", "APT::Architectures": "amd64", "Acquire::Languages": "none",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
            "APT::Sandbox::User": "root",
        }
        (root / "apt.conf").write_text("".join(f'{key} "{value}";\n' for key, value in settings.items()))
        self.environment = os.environ | {"APT_CONFIG": str(root / "apt.conf"), "LC_ALL": "C.UTF-8"}
        self.run("update", "-qq")

    def run(self, *arguments):
        return subprocess.run(["apt-get", *arguments], env=self.environment, check=True,
                              capture_output=True, text=True).stdout

    def install(self, packages):
        words = (line.split() for line in self.run("-s", "install", *packages).splitlines())
        return {word[1]: word[2].lstrip("(") for word in words if word[:1] == ["Inst"]}


def ours(suite):
    questions = [{"suite": suite, "platform": "linux/amd64", "packages": line.split()} for line in SETS]
    answers = subprocess.run([program, "debug", "closure"], check=True, stdout=subprocess.PIPE, text=True,
                             input="".join(json.dumps(question) + "\n" for question in questions)).stdout
    return [json.loads(line)["packages"] for line in answers.splitlines()]


sources = subprocess.run([program, "debug", "sources"], check=True, stdout=subprocess.PIPE, text=True)
mirrors = dict(line.split(" ", 1) for line in sources.stdout.splitlines())
columns, faults, same = {}, [], dict.fromkeys(SUITES, 0)
for suite in SUITES:
    apt = Apt(folder / suite, suite, mirrors)
    for packages, chosen in zip(SETS, ours(suite), strict=True):
        expected = apt.install(packages.split())
        columns[packages, suite] = (len(expected), "same" if chosen == expected else len(chosen))
        same[suite] += chosen == expected
        wanted = {name: version for name, version in expected.items()
                  if name not in SUPERFLUOUS.get((packages, suite), ())}
        if chosen not in (wanted, expected):
            faults.append((packages, suite, sorted(set(chosen.items()) ^ set(wanted.items()))))

version = subprocess.run(["apt-get", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()[1]
print(f"apt {version}, {datetime.date.today():%-d %B %Y}\n")
print("| Set | bookworm: apt | ours | trixie: apt | ours |\n|---|---|---|---|---|")
for packages in SETS:
    cells = [str(cell) for suite in SUITES for cell in columns[packages, suite]]
    print(f"| {packages} | " + " | ".join(cells) + " |")
print(f"\nthe same in {same['bookworm']} and {same['trixie']} of {len(SETS)} sets")
for fault in faults:
    print("not explained:", *fault)
sys.exit(bool(faults))
