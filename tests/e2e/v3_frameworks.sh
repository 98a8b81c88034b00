#!/usr/bin/env bash
# Frameworks that bring nvidia-* wheels of their own are one set with the CUDA section: nothing is
# there twice, on or off, and what only the section needs goes with it. Lock and plan alone.
. "$(dirname "$0")/lib.sh"
for framework in 'torch' 'jax[cuda13]'; do
  cat >env.toml <<SPEC
format = 1
[image]
platforms = ["linux/amd64", "linux/arm64"]
[python]
packages = ["$framework"]
[cuda]
version = "13.0"
components = ["toolkit", "cudnn"]
SPEC
  rm -f env.lock
  "$IMGBUILD" lock -q env.toml
  "$IMGBUILD" plan --locked env.toml >off
  "$IMGBUILD" plan --locked env.toml --set cuda.enabled=true >on
  contains "plan" "$(cat on)" "is left out: there is none for linux/arm64"
  python3 - <<'PYTHON'
import collections, re, tomllib

amd64, arm64 = tomllib.load(open("env.lock", "rb"))["platform"]
assert "cuda-problem" not in amd64, amd64["cuda-problem"]
wheels = [p for p in amd64["package"] if p["kind"] == "wheel"]
on = {p["name"]: p for p in wheels}
assert len(on) == len(wheels)
# One project of a kind for one major version: never nvidia-cublas beside nvidia-cublas-cu12.
kinds = collections.Counter(re.sub(r"-cu\d+$", "", name) for name in on)
assert max(kinds.values()) == 1, kinds
off = {name for name, p in on.items() if "only-with" not in p}
assert {"nvidia-cublas", "nvidia-cudnn-cu13"} <= off, off
assert {"nvidia-npp", "nvidia-cuda-cuxxfilt"} <= set(on) - off, on
assert all(on[name]["layer"] == "cuda" for name in set(on) - off)
assert on["nvidia-cublas"]["layer"] == "cuda"
assert not any("only-with" in p for p in arm64["package"])

def planned(file):
    text = open(file).read().split("linux/arm64")[0]
    return collections.Counter(re.findall(r"(nvidia-[a-z0-9-]+) \d", text))

for file, names in ("on", set(on)), ("off", off):
    found = planned(file)
    assert set(found) == {n for n in names if n.startswith("nvidia-")}, found
    assert max(found.values()) == 1, found
PYTHON
done
