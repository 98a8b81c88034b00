#!/usr/bin/env bash
# A build that pushes while it builds, of which one half fails. Where the build does, layers are in
# the registry by then and no manifest or tag is; where the push does, its error ends the command and
# the image is in the cache and in the outputs.
. "$(dirname "$0")/registry_lib.sh"
. "$TOP/tests/e2e/base_lib.sh"
need docker-registry
port=$(free_port) through=$(free_port) files=$(free_port)
registry store "$port"
: >ledger
background proxy "$through" python3 "$TOP/tests/e2e/upload_ledger.py" "$through" "$port" 100000000 "$WORK/ledger"
base_of base --noise 1000000 --platforms
wheels 1.0 3000000 extra
write_spec app oci:base.oci extra-1.0-py3-none-any.whl
# What the second platform needs, and gets once the registry has a layer: other bytes than were said.
cat >files.py <<'PYTHON'
import http.server, json, sys, time

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        for _ in range(2000):
            if any(json.loads(line)["digest"] for line in open("ledger") if '"status": 201' in line):
                break
            time.sleep(0.05)
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"other bytes")

http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
PYTHON
background files "$files" python3 files.py "$files"
{ sed 's,"linux/amd64",&\, "linux/arm64",' app.toml; cat; } >broken.toml <<SPEC
[[artifacts]]
platform = "linux/arm64"
url = "http://127.0.0.1:$files/tool"
sha256 = "$(printf 'the right bytes' | sha256sum | cut -d' ' -f1)"
to = "/opt/tool"
SPEC
export IMGBUILD_TIMEOUT=120  # files.py is slow where uploads are
refused 4 "http://127.0.0.1:$files/tool" -- "$IMGBUILD" build broken.toml --no-local --insecure \
  --push "127.0.0.1:$through/team/broken:x" --push "127.0.0.1:$through/team/broken:y"
uploaded=$(python3 -c 'import json; print(sum(json.loads(line)["came"] for line in open("ledger")))')
[ "$uploaded" -gt 1000000 ] || fail "no layer went out before the build failed: $uploaded bytes"
equal "manifests that were put" "$(grep -c '"PUT".*/manifests/' ledger || true)" 0
equal "manifests in the registry" "$(find store -path '*_manifests*' -name link)" ""
for tag in x y; do equal "the tag $tag" "$(digest_at "127.0.0.1:$port/team/broken:$tag")" ""; done

# A registry that takes layers, and cannot write manifests of this one repository.
mkdir -p store/docker/registry/v2/repositories/team/app
: >store/docker/registry/v2/repositories/team/app/_manifests
refused 1 "127.0.0.1:$port/team/app" "answers 500" -- "$IMGBUILD" build app.toml --no-local --insecure \
  --push "127.0.0.1:$port/team/app:x" -o oci:app.oci:x
check app.oci  # outputs are there
rm -r app.oci
contains "what is in the cache" "$("$IMGBUILD" build app.toml --no-local --locked --offline -o oci:app.oci:x 2>&1)" "(unchanged)"
check app.oci
rm store/docker/registry/v2/repositories/team/app/_manifests
"$IMGBUILD" build app.toml -q --no-local --locked --insecure --push "127.0.0.1:$port/team/app:x"
equal "the tag" "$(digest_at "127.0.0.1:$port/team/app:x")" "$(layout_digest app.oci)"
