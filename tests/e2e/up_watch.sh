#!/usr/bin/env bash
# `up --watch` replaces the container when spec or files change, also while it builds, and keeps it when
# that fails; servers reload what is mounted; `--open` opens the first address.
. "$(dirname "$0")/lib.sh"
need curl python3
use_podman
example v5-notebook
cp "$TOP"/specs/examples/*.toml .
cp "$E2E_ROOT/images/v5-notebook.lock" watched.lock
mkdir -p app bin/engine
printf '#!/bin/sh\necho "$1" >>"%s/opened"\n' "$WORK" >bin/xdg-open
# An engine that somebody saves a file beside, after the image was built and before it is run.
printf '#!/bin/sh\n[ "$1" != pull ] || [ ! -f "%s/save" ] || mv "%s/save" "%s/app/main.py"\nexec podman "$@"\n' \
  "$WORK" "$WORK" "$WORK" >bin/engine/podman
chmod +x bin/xdg-open bin/engine/podman
export IMGBUILD_ENGINE="$WORK/bin/engine/podman"
export PATH="$WORK/bin:$PATH" NO_PROXY='*'
site() { printf 'from starlette.applications import Starlette\nfrom starlette.responses import PlainTextResponse\nfrom starlette.routing import Route\napp = Starlette(routes=[Route("/", lambda request: PlainTextResponse("%s"))])\n' "$1"; }
site one >app/main.py
# FastHTML, as its users write it.
page() { printf 'from fasthtml.common import fast_app, Response\napp, rt = fast_app()\n\n@rt("/")\ndef get():\n    return Response("%s")\n' "$1"; }
page alpha >live.py
cat >watched.toml <<'SPEC'
extends = "v5-notebook.toml"
[image]
name = "watched"
[[files]]
from = "app"
to = "/srv/app"
[services.web]
app = "main:app"
dir = "/srv/app"
[services.live]
preset = "fasthtml"
app = "live:app"
port = 5002
announce = "The live page is at http://127.0.0.1:{port 5002}/"
SPEC
cp watched.toml good.toml
end() {
  local status=$?
  set +e
  "$IMGBUILD" down watched >/dev/null 2>&1
  (exit "$status")
  cleanup
}
trap end EXIT

"$IMGBUILD" up watched.toml --watch --open --no-local >up.log 2>&1 &
pid=$!
processes+=($pid)

address() { grep -o "$1 is at http://127.0.0.1:[0-9]*" up.log | tail -1 | grep -o 'http.*' || true; }
announced() {  # what: its address, once it is there
  local url
  for _ in $(seq 150); do
    url=$(address "$1")
    [ -z "$url" ] || { echo "$url"; return; }
    kill -0 $pid 2>/dev/null || break
    sleep 0.2
  done
  fail "$1 is nowhere: $(cat up.log)"
}
becomes() {  # url, text, seconds: says how long that took
  python3 - "$@" <<'PYTHON' || fail "$1 does not become $2: $(cat up.log)"
import sys, time, urllib.request
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
begin = time.monotonic()
while time.monotonic() - begin < float(sys.argv[3]):
    try:
        if opener.open(sys.argv[1], timeout=1).read().decode() == sys.argv[2]:
            print(f"{sys.argv[2]} after {time.monotonic() - begin:.1f} s")
            sys.exit(0)
    except OSError:
        pass
    time.sleep(0.02)
sys.exit(1)
PYTHON
}
container_id() { podman ps -q --filter name=imgbuild-watched; }

web=$(announced "The web page")
live=$(announced "The live page")
becomes "$web" one 10
becomes "$live" alpha 10
for _ in $(seq 100); do [ -s opened ] && break; sleep 0.1; done
contains "what was opened" "$(cat opened)" "http://127.0.0.1:"
equal "addresses opened" "$(wc -l <opened)" 1

names() { podman images -q --filter dangling=true 2>/dev/null | wc -l; }
before=$(names)

# A file that is in the image: another container at the same address.
first=$(container_id)
site two >app/main.py
becomes "$web" two 15
second=$(container_id)
[ "$first" != "$second" ] || fail "the container is the same"

# A save that is made while the first one is built and replaced is the one that stays.
site four >save
site three >app/main.py
becomes "$web" four 30
second=$(container_id)
[ -f save ] && fail "nothing was saved meanwhile"
for _ in $(seq 75); do [ "$(names)" != "$before" ] || break; sleep 0.2; done
equal "images without a name" "$(names)" "$before"

# A file in the folder that is mounted: the server reloads it.
page beta >live.py
becomes "$live" beta 15
equal "the container" "$(container_id)" "$second"

# What does not build is told, and the old one goes on.
sed 's/app = "main:app"/ap = "main:app"/' good.toml >watched.toml
for _ in $(seq 100); do grep -q 'stays as it is' up.log && break; sleep 0.1; done
contains "the complaint" "$(cat up.log)" 'unknown key "services.web.ap"'
becomes "$web" four 2
equal "the container after a failure" "$(container_id)" "$second"
cp good.toml watched.toml
sleep 1
equal "the container when all is as before" "$(container_id)" "$second"

# A spec that changes what runs: another container, with the image's variable and at the service's port
# that it says now.
greets() {  # what the container's variable becomes
  for _ in $(seq 150); do
    [ "$(podman exec imgbuild-watched printenv GREETING 2>/dev/null)" != "$1" ] || return 0
    sleep 0.2
  done
  fail "the variable does not become $1: $(cat up.log)"
}
port=$(free_port)
sed "s/^name = .*/&\nenv = { GREETING = \"hello\" }/; s/^app = \"main:app\"/&\nport = $port/" good.toml >changed.toml
cp changed.toml watched.toml
greets hello
becomes "http://127.0.0.1:$port/" four 15
third=$(container_id)
[ "$third" != "$second" ] || fail "the container is the same after the spec changed"

# One that is saved with an error changes nothing until it is mended.
sed 's/hello/bye/; s/^dir = /dri = /' changed.toml >watched.toml
for _ in $(seq 100); do grep -q 'services.web.dri' up.log && break; sleep 0.1; done
contains "the complaint" "$(cat up.log)" 'unknown key "services.web.dri"'
becomes "http://127.0.0.1:$port/" four 2
equal "the container after an error" "$(container_id)" "$third"
sed 's/hello/bye/' changed.toml >watched.toml
greets bye
becomes "http://127.0.0.1:$port/" four 15

kill -TERM $pid
status=0; wait $pid || status=$?
equal "exit status" "$status" 0
equal "containers after TERM" "$(container_id)" ""

# Opened in the background, it goes on by itself.
rm opened
"$IMGBUILD" up watched.toml -d --open --no-local >detached.log 2>&1
for _ in $(seq 50); do [ -s opened ] && break; sleep 0.1; done
contains "what was opened" "$(cat opened)" "http://127.0.0.1:"
[ -n "$(container_id)" ] || fail "nothing is left: $(cat detached.log)"
"$IMGBUILD" down watched >/dev/null 2>&1
podman volume rm -f imgbuild-watched-home >/dev/null 2>&1 || true
