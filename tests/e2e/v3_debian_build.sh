#!/usr/bin/env bash
# CUDA as Debian packages it, built for real (gigabytes): nvcc with the compiler that it accepts, and
# the toolkit where others have theirs. The licence is told to whoever builds, once.
. "$(dirname "$0")/lib.sh"
[ "$(uname -m)" = x86_64 ] || skip "CUDA is for amd64, and this machine cannot run that"
free=$(df --output=avail -BG "$WORK" | tail -1 | tr -dc 0-9)
[ "$free" -ge 25 ] || skip "needs 25 GB below $WORK, and $free GB are free"
use_podman
export XDG_CACHE_HOME="$WORK/cache"  # gigabytes that no other script needs
cat >env.toml <<'SPEC'
format = 1
[image]
platforms = ["linux/amd64"]
[python]
version = "3.11"
[cuda]
version = "11.8"
provider = "debian"
SPEC
licence() { grep -c "NVIDIA's licence" "$1" || true; }
"$IMGBUILD" lock --plain env.toml >lock.log 2>&1
equal "licence while locking" "$(licence lock.log)" 0
turned_on() { "$IMGBUILD" build env.toml --locked --plain --set cuda.enabled=true -o oci:on.oci:test; }
turned_on >build.log 2>&1 || { cat build.log >&2; fail "the build"; }
equal "licence while building" "$(licence build.log)" 1
turned_on >again.log 2>&1
equal "licence of what is built already" "$(licence again.log)" 0
rm -rf cache
image_id=$(flock "$E2E_ROOT/podman.lock" podman pull -q oci:on.oci:test)
rm -rf on.oci
forget() { podman rmi -f "$image_id" >/dev/null 2>&1 || true; }
trap 'status=$?; forget; (exit $status); cleanup' EXIT
run() { podman run --rm --network none "$image_id" "$@"; }
labels=$(podman inspect "$image_id" --format "{{json .Labels}}")
contains "labels" "$labels" '"imgbuild.cuda.driver":"cuda>=11.8"'
contains "labels" "$labels" "not free"
contains "labels" "$labels" "sm_80"
equal "CUDA_HOME" "$(run bash -c 'echo "$CUDA_HOME"; command -v nvcc')" "/usr/local/cuda
/usr/local/cuda/bin/nvcc"
for path in bin/ptxas include/cuda.h include/thrust/version.h lib64/libcudart.so \
  lib64/libcublas.so lib64/stubs/libcuda.so nvvm/bin/cicc nvvm/libdevice/libdevice.10.bc; do
  run test -r "/usr/local/cuda/$path" || fail "there is no /usr/local/cuda/$path"
done
equal "nvcc" "$(run bash -c "cd /tmp && cat >add.cu <<'CUDA'
#include <cstdio>
#include <thrust/version.h>
__global__ void Add(float* x) { x[threadIdx.x] += 1.0f; }
int main() {
  Add<<<1, 32>>>(nullptr);
  std::puts(\"ran\");
}
CUDA
nvcc -c add.cu -o add.o && nvcc -cubin -arch=sm_80 add.cu -o add.cubin &&
nvcc -I/usr/local/cuda/include -L/usr/local/cuda/lib64 add.cu -o add -lcublas &&
head -c 4 add.cubin | tail -c 3 && ./add")" "ELFran"
