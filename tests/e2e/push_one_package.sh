#!/usr/bin/env bash
# One package of two hundred at another version: a push sends its layer, and at most 256 KiB more on
# the wire, in a build that pushes as in a push of a layout.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/base_lib.sh"
need docker-registry
port=$(free_port)
registry store "$port"
base_of base --noise 3000000
wheels 1.0 4000 small{001..198}
wheels 1.0 12000000 large
wheels 1.0 3000000 changing
write_spec app oci:base.oci *.whl
build() { "$IMGBUILD" build app.toml -q --no-local --insecure "$@"; }

push_both() {  # tag, host
  build --push "$2/built/app:$1"
  build -o oci:app.oci:x
  "$IMGBUILD" push -q oci:app.oci "$2/pushed/app:$1" --insecure
}
push_both one "127.0.0.1:$port"
manifest_of app.oci | layers_in >before

rm changing-1.0-py3-none-any.whl
wheels 2.0 3000000 changing
sed -i s/changing-1.0/changing-2.0/ app.toml
"$IMGBUILD" lock app.toml -q --no-local
# Each from a proxy of its own, whose count is what went to the registry, heads of requests included.
export XDG_CACHE_HOME="$WORK/another"  # nothing is remembered of what the registry has
for way in built pushed; do
  through=$(free_port)
  background "proxy-$way" "$through" python3 "$TOP/tests/e2e/counting_proxy.py" "$through" "$port" 100000000 "$WORK/$way.count"
  case $way in
    built) build --push "127.0.0.1:$through/built/app:two" ;;
    pushed)
      build -o oci:app.oci:x
      "$IMGBUILD" push -q oci:app.oci "127.0.0.1:$through/pushed/app:two" --insecure
      ;;
  esac
done
manifest_of app.oci | layers_in >after
# Of the layers that were not there before, the package's is the largest.
layer=$(comm -13 <(sort before) <(sort after) | awk '{print $2}' | sort -n | tail -1)
[ "$layer" -ge 3000000 ] || fail "the package's layer has $layer bytes: $(cat after)"
for way in built pushed; do
  equal "$way: the tag" "$(digest_at "127.0.0.1:$port/$way/app:two")" "$(layout_digest app.oci)"
  sent=$(cat "$way.count")
  echo "$way: $sent bytes, $((sent - layer)) more than the package's layer"
  [ "$sent" -ge "$layer" ] || fail "$way: $sent bytes went out, for a layer of $layer"
  [ "$sent" -le $((layer + 262144)) ] || fail "$way: $((sent - layer)) bytes more than the layer of $layer"
done
