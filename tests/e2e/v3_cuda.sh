#!/usr/bin/env bash
# V3: off, it has V2's packages; on, by a local overlay and without another resolution, it has CUDA
# in layers of its own and every other layer as it was. Libraries load by soname, nvcc compiles.
. "$(dirname "$0")/lib.sh"
[ "$(uname -m)" = x86_64 ] || skip "CUDA is for amd64, and this machine cannot run that"
free=$(df --output=avail -BG "$WORK" | tail -1 | tr -dc 0-9)
[ "$free" -ge 12 ] || skip "needs 12 GB below $WORK, and $free GB are free"
use_podman
export XDG_CACHE_HOME="$WORK/cache"  # gigabytes that no other script needs
cp "$TOP"/specs/examples/*.toml .
# Not the whole toolkit, which is three times as much.
printf '[cuda]\ncomponents = ["nvcc", "cudart", "cublas", "cudnn"]\n' >v3-cuda.local.toml
build() { "$IMGBUILD" build -q "$@"; }
cat >compare.py <<'PYTHON'
import json, sys, tomllib

def lock(name):
    return tomllib.load(open(name, "rb"))["platform"][0]["package"]

def packages(name):
    return {(p["kind"], p["name"], p["version"], p["sha256"], p["layer"])
            for p in lock(name) if "only-with" not in p}

def layers(name):
    blob = lambda digest: json.load(open(f"{name}/blobs/" + digest.replace(":", "/")))
    root = blob(json.load(open(f"{name}/index.json"))["manifests"][0]["digest"])
    history = blob(root["config"]["digest"])["history"]
    names = [entry["created_by"].removeprefix("imgbuild: ") for entry in history]
    return {n: layer["digest"] for n, layer in zip(names, root["layers"], strict=True)}

assert packages("v3-cuda.local.lock") == packages("v2-scientific.lock")
v2, off, on = layers("v2.oci"), layers("off.oci"), layers("on.oci")
cuda = {n for n in on if n.startswith("cuda")}
for part in "nvidia-cublas", "nvidia-cuda-nvcc", "nvidia-cudnn-cu13", "g++-12":
    assert f"cuda: {part}" in cuda, on
assert set(on) - cuda == set(off) == set(v2)
for name in set(off) - {"state"}:
    assert v2[name] == off[name] == on[name], name
assert on["state"] != off["state"]
order = list(on)
assert max(order.index(n) for n in cuda) < order.index("python"), order
assert min(order.index(n) for n in cuda) > order.index("base"), order
PYTHON

build v2-scientific.toml -o oci:v2.oci
build v3-cuda.toml -o oci:off.oci
cp v3-cuda.local.lock before.lock
build v3-cuda.toml --locked --set cuda.enabled=true -o oci:on.oci:test
cmp before.lock v3-cuda.local.lock || fail "the switch changed the lock"
python3 compare.py
contains "plan" "$("$IMGBUILD" plan --locked --set cuda.enabled=true v3-cuda.toml)" \
  "CUDA 13.0 (nvcc, cudart, cublas, cudnn) is on"

rm -rf cache v2.oci off.oci
image_id=$(flock "$E2E_ROOT/podman.lock" podman pull -q oci:on.oci:test)
rm -rf on.oci
forget() { podman rmi -f "$image_id" >/dev/null 2>&1 || true; }
trap 'status=$?; forget; (exit $status); cleanup' EXIT
run() { podman run --rm --network none "$image_id" "$@"; }
cat >check.py <<'PYTHON'
import ctypes, os
number = ctypes.c_int()
assert ctypes.CDLL("libcudart.so.13").cudaRuntimeGetVersion(ctypes.byref(number)) == 0
assert number.value // 10 == 1300, number
blas = ctypes.CDLL("libcublas.so.13")
assert blas.cublasGetProperty(0, ctypes.byref(number)) == 0 and number.value == 13, number
dnn = ctypes.CDLL("libcudnn.so.9")
dnn.cudnnGetVersion.restype = ctypes.c_size_t
assert dnn.cudnnGetVersion() // 10000 == 9
assert os.environ["NVIDIA_VISIBLE_DEVICES"] == "all"
assert os.environ["NVIDIA_REQUIRE_CUDA"] == "cuda>=13.0"
assert os.environ["CUDA_HOME"] == "/usr/local/cuda"
print("loaded")
PYTHON
contains "labels" "$(podman inspect "$image_id" --format "{{json .Labels}}")" " sm_90 "
equal "libraries" "$(run python -c "$(cat check.py)")" "loaded"
cat >add.cu <<'CUDA'
#include <cstdio>
__global__ void Add(float* x) { x[threadIdx.x] += 1.0f; }
int main() {
  Add<<<1, 32>>>(nullptr);
  std::puts("ran");
}
CUDA
equal "nvcc" "$(run bash -c "cd /tmp && cat >add.cu <<'CUDA'
$(cat add.cu)
CUDA
nvcc -c add.cu -o add.o && nvcc -cubin -arch=sm_90 add.cu -o add.cubin &&
nvcc add.cu -o add -lcublas -lcudnn && head -c 4 add.cubin | tail -c 3 && ./add")" "ELFran"
