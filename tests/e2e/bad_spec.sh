#!/usr/bin/env bash
# What is wrong in a spec or on the command line is one clear error, before any network is used.
. "$(dirname "$0")/lib.sh"
export XDG_CACHE_HOME="$WORK/cache" IMGBUILD_DEBIAN_MIRROR=http://127.0.0.1:9/debian

spec() {  # file, system packages, python packages
  cat >"$1" <<SPEC
format = 1
[image]
name = "bad"
[system]
packages = [$2]
[python]
version = "3.11"
packages = [$3]
SPEC
}

refuses() {  # what, exit status, part of the message, arguments...
  local what=$1 expected=$2 part=$3 status=0 message
  shift 3
  message=$("$IMGBUILD" build "$@" 2>&1) || status=$?
  equal "$what: exit status of '$message'" "$status" "$expected"
  contains "$what" "$message" "$part"
  equal "$what: errors" "$(grep -c '^error: ' <<<"$message")" 1
  [ ! -e bad.oci ] || fail "$what: partial output"
}

spec good.toml '"git"' '"rich"'
sed 's/^packages = \["rich"\]/pakages = ["rich"]/' good.toml >unknown.toml
spec type.toml true 3
spec version.toml '"git (>= 99)"' '"rich"'
refuses "unknown key" 2 'unknown.toml:8:1: unknown key "python.pakages"' unknown.toml
refuses "near key" 2 'did you mean "packages"?' unknown.toml
refuses "wrong type" 2 'type.toml:5:13: system.packages[0] is true or false, expected a string' type.toml
refuses "every wrong type" 2 'type.toml:8:13: python.packages[0] is an integer' type.toml
refuses "no Debian package" 2 'version.toml:5:13' version.toml
refuses "no spec" 2 'there is no spec absent.toml' absent.toml
refuses "unknown transport" 2 'oci:DIRECTORY[:TAG]' good.toml -o foo:bar
refuses "CUDA" 2 'cuda' good.toml --set cuda.enabled=true
refuses "no lock" 1 'run: imgbuild lock good.toml' good.toml --locked
refuses "cache that cannot be made" 1 '--cache-dir' good.toml --cache-dir /proc/none
refuses "unreachable mirror" 1 'the mirror comes from IMGBUILD_DEBIAN_MIRROR' good.toml
[ ! -e good.lock ] || fail "a lock was written"
contains "cache" "$("$IMGBUILD" cache verify 2>&1)" "0 wrong"
