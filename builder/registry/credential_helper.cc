#include "builder/registry/credential_helper.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "layers/io/file.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

extern char** environ;

namespace imgbuild::builder {
namespace {

constexpr std::size_t kLargestAnswer = 1u << 20;

struct Pipe {
  layers::FileDescriptor reading;
  layers::FileDescriptor writing;

  Pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw specs::Error("cannot create a pipe").Found(std::strerror(errno));
    }
    reading = layers::FileDescriptor(ends[0]);
    writing = layers::FileDescriptor(ends[1]);
  }
};

struct Actions {
  posix_spawn_file_actions_t value;
  Actions() { ::posix_spawn_file_actions_init(&value); }
  ~Actions() { ::posix_spawn_file_actions_destroy(&value); }
  Actions(const Actions&) = delete;
  Actions& operator=(const Actions&) = delete;
};

std::string ReadAll(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  while (text.size() < kLargestAnswer) {
    const ssize_t count = ::read(fd, buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return text;
}

struct Answer {
  int status = 0;
  std::string text;
};

// The server's name is one short line: it fits into the pipe whether the helper reads it or not.
void WriteLine(int fd, const std::string& line) {
  sigset_t pipe_signal;
  sigset_t previous;
  ::sigemptyset(&pipe_signal);
  ::sigaddset(&pipe_signal, SIGPIPE);
  ::pthread_sigmask(SIG_BLOCK, &pipe_signal, &previous);
  [[maybe_unused]] const ssize_t written = ::write(fd, line.data(), line.size());
  const timespec now{};
  while (::sigtimedwait(&pipe_signal, nullptr, &now) > 0) {
  }
  ::pthread_sigmask(SIG_SETMASK, &previous, nullptr);
}

Answer Run(const std::string& program, const std::string& input) {
  Pipe in;
  Pipe out;
  Actions actions;
  ::posix_spawn_file_actions_adddup2(&actions.value, in.reading.get(), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions.value, out.writing.get(), STDOUT_FILENO);
  std::string name = program;
  std::string verb = "get";
  std::array<char*, 3> arguments = {name.data(), verb.data(), nullptr};
  pid_t child = 0;
  const int failed =
      ::posix_spawnp(&child, name.c_str(), &actions.value, nullptr, arguments.data(), environ);
  if (failed != 0) {
    throw specs::Error(fmt::format("cannot run the credential helper {}", program))
        .Found(std::strerror(failed))
        .Hint("install it, or take it out of the file of credentials");
  }
  in.reading.Reset();
  out.writing.Reset();
  WriteLine(in.writing.get(), input + "\n");
  in.writing.Reset();
  Answer answer;
  answer.text = ReadAll(out.reading.get());
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  answer.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  return answer;
}

}  // namespace

std::optional<Credentials> AskCredentialHelper(const std::string& helper,
                                               const std::string& server) {
  if (helper.empty() || helper.find('/') != std::string::npos) {
    throw specs::Error(fmt::format("\"{}\" cannot be the name of a credential helper", helper));
  }
  const std::string program = "docker-credential-" + helper;
  const Answer answer = Run(program, server);
  if (answer.status != 0) {
    // The protocol tells it by this sentence alone.
    if (answer.text.find("credentials not found") != std::string::npos) return std::nullopt;
    throw specs::Error(fmt::format("the credential helper {} failed for {}", program, server))
        .Found(fmt::format("exit status {}", answer.status));
  }
  const auto document = nlohmann::json::parse(answer.text, nullptr, /*allow_exceptions=*/false);
  auto text = [&](const char* key) {
    const auto found = document.is_object() ? document.find(key) : document.end();
    return found != document.end() && found->is_string() ? found->get<std::string>() : "";
  };
  Credentials credentials{.user = text("Username"),
                          .password = specs::Secret(text("Secret")),
                          .identity_token = {},
                          .origin = program};
  if (credentials.user.empty() && credentials.password.empty()) {
    throw specs::Error(
        fmt::format("the credential helper {} gave no credentials for {}", program, server))
        .Expected("JSON with \"Username\" and \"Secret\"");
  }
  // A user of this name marks the secret as a refresh token.
  if (credentials.user == "<token>") {
    credentials.identity_token = std::exchange(credentials.password, {});
    credentials.user.clear();
  }
  return credentials;
}

}  // namespace imgbuild::builder
