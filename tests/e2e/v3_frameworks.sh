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

# CUDA 12, whose wheels have no nvcc: the newest torch that was built with parts of that version. 12.8's
# newest release is not the one that it pins, and of 12.6 no release has all that it pins.
for version in 12.8 12.6; do
  cat >env.toml <<SPEC
format = 1
[image]
platforms = ["linux/amd64"]
[python]
packages = ["torch"]
[cuda]
version = "$version"
components = ["runtime", "cudnn"]
SPEC
  rm -f env.lock
  "$IMGBUILD" lock -q env.toml
  "$IMGBUILD" plan --locked env.toml --set cuda.enabled=true >on 2>&1
  case "$(cat on)" in *"two major versions"*) fail "CUDA $version beside another: $(cat on)" ;; esac
  contains "plan" "$(cat on)" "needs a driver that supports CUDA $version or later"
  python3 - "$version" <<'PYTHON'
import sys, tomllib

(amd64,) = tomllib.load(open("env.lock", "rb"))["platform"]
assert "cuda-problem" not in amd64, amd64["cuda-problem"]
found = {p["name"]: p["version"] for p in amd64["package"] if p["kind"] == "wheel"}
assert tuple(map(int, found["torch"].split(".")[:2])) >= (2, 7), found["torch"]
for part in "cuda-runtime", "cuda-nvrtc", "cublas":
    assert found[f"nvidia-{part}-cu12"].startswith(sys.argv[1] + "."), (part, found)
    others = [name for name in found if name.startswith(f"nvidia-{part}") and not name.endswith("-cu12")]
    assert not others, others
PYTHON
done
