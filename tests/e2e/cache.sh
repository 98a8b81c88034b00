#!/usr/bin/env bash
# Machines that share a registry: one that has nothing takes an unchanged image by its key within
# seconds, and after a change makes nothing that another one made.
. "$(dirname "$0")/lib.sh"
need docker-registry skopeo python3
want_podman=no example v1-python
port=$(free_port)
mkdir registry
cat >registry.yml <<CONF
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $WORK/registry}}
http: {addr: "127.0.0.1:$port"}
CONF
docker-registry serve registry.yml >registry.log 2>&1 &
processes+=($!)
for _ in $(seq 50); do curl -s -o /dev/null --noproxy '*' "http://127.0.0.1:$port/v2/" && break; sleep 0.1; done
export no_proxy=127.0.0.1
app="127.0.0.1:$port/team/v1"
cp "$TOP"/specs/examples/v1-python.toml "$E2E_ROOT/images/v1-python.lock" .

build() {  # machine, options; the summary as JSON
  local machine=$1
  shift
  XDG_CACHE_HOME="$WORK/$machine" "$IMGBUILD" build v1-python.toml --no-local --locked --insecure \
    --json "$@" >"$machine.json" || fail "the build on $machine: $(cat "$machine.json")"
  tail -n 1 "$machine.json"
}
field() {  # an expression over the summary `s`
  python3 -c 'import json, sys; s = json.loads(sys.argv[1]); print(eval(sys.argv[2]))' "$1" "$2"
}

# The first one has the packages, pushes the image and shares the rest.
first=$(XDG_CACHE_HOME="$E2E_ROOT/cache" "$IMGBUILD" build v1-python.toml --no-local --locked \
  --insecure --json --push "$app:1" --cache-to "$app:cache" | tail -n 1)
digest=$(field "$first" 's["digest"]')
equal "what could not be shared" "$(field "$first" 's["exported"][0]["failure"]')" ""
skopeo inspect --raw --tls-verify=false "docker://$app:cache" |
  python3 -c 'import json, sys; assert json.load(sys.stdin)["artifactType"] == "application/vnd.imgbuild.cache.v1"'

# Unchanged: under 2 s and 2 MB.
begin=$(date +%s%N)
second=$(build two --cache-from "$app:1" --push "$app:2")
took=$((($(date +%s%N) - begin) / 1000000))
equal "digest on the second machine" "$(field "$second" 's["digest"]')" "$digest"
equal "digest of the tag" \
  "$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$app:2")" "$digest"
bytes=$(field "$second" 's["shared"][0]["bytes"]')
echo "an unchanged image: $took ms, $bytes bytes"
[ "$took" -lt 2000 ] || fail "an unchanged image took $took ms"
[ "$bytes" -lt 2000000 ] || fail "an unchanged image cost $bytes bytes"

# Into a layout its bytes come, and are the same.
build three --cache-from "$app:1" -o oci:three.oci >/dev/null
python3 "$TOP/tests/e2e/check_layout.py" three.oci

# A file more: facts come, no archive and no files of packages, and one layer goes out.
mkdir app
echo "print(1)" >app/main.py
printf '[[files]]\nfrom = "app"\nto = "/srv/app"\n' >>v1-python.toml
begin=$(date +%s%N)
fourth=$(build four --cache-from "$app:1" --cache-from "$app:cache" --push "$app:3")
took=$((($(date +%s%N) - begin) / 1000000))
[ ! -e four/imgbuild/downloads ] || fail "archives were fetched: $(find four/imgbuild/downloads -type f | wc -l)"
echo "a file more: $took ms, $(field "$fourth" 'sum(p["bytes"] for p in s["shared"])') bytes"
here=$(XDG_CACHE_HOME="$E2E_ROOT/cache" "$IMGBUILD" build v1-python.toml --no-local --locked \
  --json -o oci:here.oci | tail -n 1)
equal "digest after the change" "$(field "$fourth" 's["digest"]')" "$(field "$here" 's["digest"]')"

# A cache that is away costs a line.
out=$(XDG_CACHE_HOME="$WORK/four" "$IMGBUILD" build v1-python.toml --no-local --locked \
  --cache-from 127.0.0.1:1/away:1 --cache-from http://127.0.0.1:1/ --compression gzip \
  --cache-from "$app:cache" -o oci:gzip.oci 2>&1)
contains "a cache that is away" "$out" "the cache http://127.0.0.1:1 is not used any more"
