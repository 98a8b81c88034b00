#!/usr/bin/env bash
# CUDA as Debian packages it, of both suites: what is locked, planned and refused. (Building it takes
# gigabytes: v3_debian_build.)
. "$(dirname "$0")/lib.sh"

spec() {  # Python, CUDA
  cat >env.toml <<SPEC
format = 1
[image]
platforms = ["linux/amd64", "linux/arm64"]
[python]
version = "$1"
packages = ["numpy"]
[cuda]
version = "$2"
provider = "debian"
components = ["toolkit"]
SPEC
}

for suite in "3.11 11.8 g++-11" "3.13 12.4 g++-13"; do
  read -r python cuda compiler <<<"$suite"
  spec "$python" "$cuda"
  rm -f env.lock
  "$IMGBUILD" lock -q env.toml
  python3 - "$cuda" "$compiler" <<'PYTHON'
import sys, tomllib

amd64, arm64 = tomllib.load(open("env.lock", "rb"))["platform"]
assert "cuda-problem" not in amd64, amd64["cuda-problem"]
packages = {p["name"]: p for p in amd64["package"]}
toolkit = packages["nvidia-cuda-toolkit"]
assert toolkit["version"].startswith(sys.argv[1]), toolkit
assert toolkit["layer"] == "cuda" and "only-with" in toolkit, toolkit
assert toolkit["source"].endswith("/non-free"), toolkit
# The one that this nvcc accepts, which is not the suite's own.
assert sys.argv[2] in packages and "g++" not in packages, sorted(packages)
# The driver's libraries come from the host.
assert not {"libcuda1", "libnvidia-ml1"} & set(packages), sorted(packages)
assert not any("only-with" in p for p in arm64["package"])
PYTHON
  contains "plan with the switch on" \
    "$("$IMGBUILD" plan --locked env.toml --set cuda.enabled=true 2>&1)" "nvidia-cuda-toolkit"
  case "$("$IMGBUILD" plan --locked env.toml 2>&1)" in
    *nvidia-cuda-toolkit*) fail "the toolkit is planned with the switch off" ;;
  esac
done

refused() {  # what, part of the error
  local status=0 out
  out=$("$IMGBUILD" plan env.toml --set cuda.enabled=true 2>&1) || status=$?
  equal "status of $1" "$status" 3
  contains "$1" "$out" "$2"
}
spec 3.11 12.4
refused "a version that the suite has not" "11.8"
