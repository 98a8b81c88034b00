#include "builder/assemble/presets.h"

namespace imgbuild::builder {
namespace {

// uvicorn rather than `python -m fastapi`: it serves any ASGI application, needs no
// fastapi[standard], and ends on SIGTERM at once.
const std::vector<std::string> kUvicorn = {"/opt/venv/bin/python",
                                           "-m",
                                           "uvicorn",
                                           "{app}",
                                           "--host",
                                           "0.0.0.0",
                                           "--port",
                                           "{port}",
                                           "--app-dir",
                                           "{dir}",
                                           "--no-access-log",
                                           "--timeout-graceful-shutdown",
                                           "3"};

const Preset kPresets[] = {
    {.name = "jupyterlab",
     .port = 8888,
     .command = {"/opt/venv/bin/python", "-m", "jupyterlab", "--ip=0.0.0.0", "--port={port}",
                 "--port-retries=0", "--no-browser", "--ServerApp.root_dir={workdir}",
                 "--ServerApp.allow_remote_access=True", "--allow-root",
                 "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
                 "--LabApp.news_url=None"},
     .ready_path = "/api",
     .token = "JUPYTER_TOKEN",
     .announce = "JupyterLab is at http://127.0.0.1:{port}/lab{token}"},
    {.name = "fasthtml",
     .port = 5001,
     .command = kUvicorn,
     .ready_path = "/",
     .token = "",
     .announce = "The web page is at http://127.0.0.1:{port}/"},
    {.name = "fastapi",
     .port = 8000,
     .command = kUvicorn,
     .ready_path = "/",
     .token = "",
     .announce = "The API is at http://127.0.0.1:{port}/"},
    {.name = "uvicorn",
     .port = 8000,
     .command = kUvicorn,
     .ready_path = "/",
     .token = "",
     .announce = "The web server is at http://127.0.0.1:{port}/"},
};

}  // namespace

const Preset* FindPreset(std::string_view name) {
  for (const Preset& preset : kPresets) {
    if (preset.name == name) return &preset;
  }
  return nullptr;
}

bool ServesBuiltInPage(const specs::Service& service) {
  return service.preset == "fasthtml" && service.app.empty() && service.command.empty();
}

}  // namespace imgbuild::builder
