#!/usr/bin/env bash
# Presets with the real packages: each is ready and answers as it says, with base URL, password and
# what Ollama provides.
. "$(dirname "$0")/lib.sh"
need curl python3
use_podman
mkdir -p app ollama/bin
cat >app/ui.py <<'PYTHON'
import streamlit
streamlit.write("streamlit page")
PYTHON
cat >app/talk.py <<'PYTHON'
import gradio
gradio.Interface(lambda text: text, "text", "text", title="gradio page").launch()
PYTHON
cat >app/api.py <<'PYTHON'
import os
from fastapi import FastAPI
app = FastAPI()
@app.get("/env")
def env():
    return {"host": os.environ["OLLAMA_HOST"], "url": os.environ["OLLAMA_URL"]}
PYTHON
# Stands for the real program, which is a gigabyte: listens where it is told to, and keeps models.
cat >ollama/bin/ollama <<'PYTHON'
#!/usr/bin/python3
import http.server, os, sys
assert sys.argv[1] == "serve"
open(os.environ["OLLAMA_MODELS"] + "/model", "w").write("weights")
host, port = os.environ["OLLAMA_HOST"].split(":")
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"Ollama is running")
http.server.ThreadingHTTPServer((host, int(port)), Handler).serve_forever()
PYTHON
chmod +x ollama/bin/ollama
tar -C ollama --sort=name --mtime=@0 -czf ollama.tar.gz bin
files=$(free_port)
mkdir served && mv ollama.tar.gz served/ && ln -s served/ollama.tar.gz .
python3 -m http.server -d served -b 127.0.0.1 "$files" >/dev/null 2>&1 &
processes+=($!)
# The hash of "open sesame", as jupyter_server makes it.
hash=$(python3 -c 'import hashlib; print("sha256:abcdef:" + hashlib.sha256(b"open sesame" + b"abcdef").hexdigest())')
cat >presets.toml <<SPEC
[image]
name = "presets"
[python]
version = "3.11"
packages = ["jupyterlab", "streamlit", "gradio", "fastapi", "uvicorn"]
compile = "none"
[[files]]
from = "app"
to = "/srv/app"
[[artifacts]]
url = "http://127.0.0.1:$files/ollama.tar.gz"
sha256 = "$(sha256sum ollama.tar.gz | cut -d' ' -f1)"
to = "/opt/ollama"
extract = true
[services.lab]
preset = "jupyterlab"
base-url = "/team/lab"
password-hash = "$hash"
[services.ui]
preset = "streamlit"
app = "ui.py"
dir = "/srv/app"
base-url = "/ui"
[services.talk]
preset = "gradio"
app = "talk.py"
dir = "/srv/app"
[services.api]
preset = "fastapi"
app = "api:app"
dir = "/srv/app"
arguments = ["--workers", "2"]
[services.llm]
preset = "ollama"
SPEC
if [ -f "$E2E_ROOT/presets.lock" ]; then cp "$E2E_ROOT/presets.lock" presets.lock; fi
"$IMGBUILD" build presets.toml -q -o oci:presets.oci:test
cp presets.lock "$E2E_ROOT/presets.lock"
image_id=$(flock "$E2E_ROOT/podman.lock" podman pull -q oci:presets.oci:test)
start -p 127.0.0.1::8888 -p 127.0.0.1::8501 -p 127.0.0.1::7860 -p 127.0.0.1::8000 -p 127.0.0.1::11434 \
  -v imgbuild-presets-models:/var/lib/ollama "$image_id"
at() { echo "http://$(podman port "$container" "$1/tcp")"; }

logs() { podman logs "$container" 2>&1; }
for what in 'JupyterLab is at http://127.0.0.1:8888/team/lab/lab$' 'The Streamlit app is at http://127.0.0.1:8501/ui/' \
  'The Gradio app is at' 'The API is at' 'Ollama is at'; do
  for _ in $(seq 300); do grep -q "$what" <<<"$(logs)" && break; sleep 0.2; done
  grep -q "$what" <<<"$(logs)" || fail "never announced: $what in $(logs)"
done
contains "streamlit" "$(answers "$(at 8501)/ui/" 10)" "<title>Streamlit</title>"
contains "gradio" "$(answers "$(at 7860)/config" 20)" '"title":"gradio page"'
equal "the API" "$(answers "$(at 8000)/env" 10)" \
  '{"host":"http://127.0.0.1:11434","url":"http://127.0.0.1:11434"}'
equal "Ollama" "$(answers "$(at 11434)/" 10)" "Ollama is running"
equal "the model in the volume" "$(podman exec "$container" cat /var/lib/ollama/model)" weights

# JupyterLab: no token, but the password, and only the right one.
lab="$(at 8888)/team/lab"
login() {  # password: status of an API call after logging in with it
  rm -f cookies
  curl -sS --noproxy '*' -c cookies -o /dev/null "$lab/login"
  xsrf=$(awk '$6 == "_xsrf" {print $7}' cookies)
  curl -sS --noproxy '*' -b cookies -c cookies -o /dev/null --data-urlencode "password=$1" --data-urlencode "_xsrf=$xsrf" "$lab/login"
  curl -sS --noproxy '*' -b cookies -o /dev/null -w '%{http_code}' "$lab/api/contents"
}
equal "the right password" "$(login 'open sesame')" 200
equal "a wrong password" "$(login 'open')" 403
if grep 'token=' <<<"$(logs)"; then fail "there is a token beside the password"; fi
if grep -i 'external ip' <<<"$(logs)"; then fail "streamlit asks who we are"; fi
podman stop -t 20 "$container" >/dev/null
podman volume rm -f imgbuild-presets-models >/dev/null 2>&1 || true
