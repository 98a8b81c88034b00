#!/usr/bin/env bash
# The shipped V3, turned on as a user does it, by a local file beside the committed spec and lock: the
# whole toolkit and cuDNN, some gigabytes. (v3_cuda runs programs in a smaller one.)
. "$(dirname "$0")/lib.sh"
[ "$(uname -m)" = x86_64 ] || skip "CUDA is for amd64, and this machine cannot run that"
free=$(df --output=avail -BG "$WORK" | tail -1 | tr -dc 0-9)
[ "$free" -ge 25 ] || skip "needs 25 GB below $WORK, and $free GB are free"
need python3 zstd
export XDG_CACHE_HOME="$WORK/cache"  # gigabytes that no other script needs
cp "$TOP"/specs/examples/*.toml .
"$IMGBUILD" lock -q v3-cuda.toml
cp v3-cuda.lock committed.lock
printf '[cuda]\nenabled = true\n' >v3-cuda.local.toml
out=$("$IMGBUILD" build v3-cuda.toml --locked --plain -o oci:on.oci 2>&1)
contains "summary" "$out" "with v3-cuda.local.toml"
contains "summary" "$out" "CUDA 13.0 (toolkit, cudnn) is on"
cmp committed.lock v3-cuda.lock || fail "the switch changed the lock"
[ ! -e v3-cuda.local.lock ] || fail "the switch made a lock of its own"
rm -rf cache
python3 "$TOP/tests/e2e/check_layout.py" on.oci linux/amd64
python3 - <<'PYTHON'
import json, tomllib

blob = lambda digest: json.load(open("on.oci/blobs/" + digest.replace(":", "/")))
config = blob(blob(json.load(open("on.oci/index.json"))["manifests"][0]["digest"])["config"]["digest"])
names = [entry["created_by"].removeprefix("imgbuild: ") for entry in config["history"]]
cuda = [name for name in names if name.startswith("cuda")]
assert len(names) <= 100 and len(cuda) <= 20, names
for part in "nvidia-cublas", "nvidia-cudnn-cu13", "nvidia-cuda-nvcc":
    assert f"cuda: {part}" in cuda, cuda
labels = config["config"]["Labels"]
assert labels["imgbuild.cuda.version"] == "13.0"
assert labels["imgbuild.cuda.driver"] == "cuda>=13.0"
assert "sm_90" in labels["imgbuild.cuda.code"].split(), labels
packages = tomllib.load(open("v3-cuda.lock", "rb"))["platform"][0]["package"]
version = {p["name"]: p["version"] for p in packages}
assert version["nvidia-cuda-runtime"].startswith("13.0."), version
PYTHON
