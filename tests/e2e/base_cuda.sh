#!/usr/bin/env bash
# On an image of the kind that NVIDIA publishes: its CUDA is used where packages need it, what it asks
# of hosts stays, and wheels that bring CUDA a second time are told of.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/base_lib.sh"
need gcc
cuda=usr/local/cuda-12.4/targets/x86_64-linux/lib
status=$(printf 'Package: %s\nStatus: install ok installed\nArchitecture: amd64\nVersion: 12.4.127-1\n\n' \
  cuda-cudart-12-4 cuda-compat-12-4 | tr '\n' '\t')
base_of cuda --label maintainer=vendor.example \
  --env CUDA_VERSION=12.4.1 --env NVIDIA_VISIBLE_DEVICES=all \
  --env NVIDIA_DRIVER_CAPABILITIES=compute,utility \
  --env "NVIDIA_REQUIRE_CUDA=cuda>=12.4 brand=tesla,driver>=470,driver<471" \
  --env LD_LIBRARY_PATH=/usr/local/nvidia/lib:/usr/local/nvidia/lib64 \
  --file "var/lib/dpkg/status=${status//$'\t'/$'\n'}" \
  --file "$cuda/libcudart.so.12=a library" --file "$cuda/libcublas.so.12=a library" \
  --file "etc/ld.so.conf.d/000_cuda.conf=/usr/local/cuda/targets/x86_64-linux/lib"
base_of plain

# A wheel that calls the runtime, which the base has.
echo 'int cudaRuntimeGetVersion(void) { return 0; }' >cudart.c
gcc -shared -Wl,-soname,libcudart.so.12 -o libcudart.so.12 cudart.c
echo 'int cudaRuntimeGetVersion(void); int version(void) { return cudaRuntimeGetVersion(); }' >user.c
gcc -shared -fPIC -nostdlib -o libuser.so user.c ./libcudart.so.12
wheels 1.0 1000 user --library libuser.so
write_spec app oci:cuda.oci user-1.0-py3-none-any.whl
"$IMGBUILD" build app.toml --no-local -o oci:app.oci:x >out 2>&1 || fail "$(cat out)"
case "$(cat out)" in *warning*) fail "a warning: $(cat out)" ;; esac
check app.oci
equal "the layers below" "$(manifest_of app.oci | layers_in | sed -n 1p)" "$(manifest_of cuda.oci | layers_in)"
config_of app.oci >config.json
python3 - <<'PYTHON'
import json
config = json.load(open("config.json"))["config"]
env = dict(variable.split("=", 1) for variable in config["Env"])
assert env["NVIDIA_REQUIRE_CUDA"] == "cuda>=12.4 brand=tesla,driver>=470,driver<471", env
assert env["CUDA_VERSION"] == "12.4.1" and env["NVIDIA_VISIBLE_DEVICES"] == "all", env
assert env["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility", env
assert env["LD_LIBRARY_PATH"] == "/usr/local/nvidia/lib:/usr/local/nvidia/lib64", env
assert env["PATH"] == "/opt/venv/bin:/usr/local/bin:/bin", env
assert config["Labels"]["maintainer"] == "vendor.example", config
assert config["Labels"]["imgbuild.cuda.driver"] == "cuda>=12.4", config
PYTHON
write_spec none oci:plain.oci user-1.0-py3-none-any.whl
refused 1 libcudart.so.12 user -- "$IMGBUILD" build none.toml --no-local

# CUDA once more, in a wheel.
wheels 12.4.127 2000 nvidia_cuda_runtime_cu12
write_spec twice oci:cuda.oci nvidia_cuda_runtime_cu12-12.4.127-py3-none-any.whl
contains "CUDA that is there twice" "$("$IMGBUILD" build twice.toml --no-local 2>&1)" \
  "the base image has CUDA of its own (/$cuda/libcudart.so.12; 18 B of libraries)"
