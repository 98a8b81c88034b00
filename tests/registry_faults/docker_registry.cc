#include "tests/registry_faults/docker_registry.h"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/free_port.h"

namespace imgbuild {
namespace {

// Another, such as distribution 3, by FAULTS_REGISTRY.
const char* Program() {
  const char* given = std::getenv("FAULTS_REGISTRY");
  return given != nullptr ? given : "/usr/bin/docker-registry";
}

sockaddr_in Loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

bool Answers(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = Loopback(port);
  const bool answers =
      connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(socket);
  return answers;
}

}  // namespace

bool DockerRegistry::IsThere() { return access(Program(), X_OK) == 0; }

DockerRegistry::DockerRegistry(const std::filesystem::path& folder) : port_(support::FreePort()) {
  const std::filesystem::path file = folder / "registry.yml";
  std::ofstream(file) << fmt::format(
      "version: 0.1\n"
      "log: {{level: error, accesslog: {{disabled: true}}}}\n"
      "storage: {{filesystem: {{rootdirectory: \"{}\"}}, delete: {{enabled: true}}}}\n"
      "http: {{addr: \"127.0.0.1:{}\"}}\n",
      (folder / "data").string(), port_);
  process_ = fork();
  if (process_ == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    const int log = open((folder / "registry.log").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execl(Program(), Program(), "serve", file.c_str(), nullptr);
    _exit(127);
  }
  for (int i = 0; i < 500; ++i) {
    if (Answers(port_)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
  throw std::runtime_error("docker-registry does not start");
}

DockerRegistry::~DockerRegistry() {
  kill(process_, SIGKILL);
  waitpid(process_, nullptr, 0);
}

}  // namespace imgbuild
