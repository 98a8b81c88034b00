#include <array>
#include <cstdio>
#include <iostream>

#include <fmt/core.h>
#include <termios.h>
#include <unistd.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/registry_access.h"
#include "builder/cli/session.h"
#include "builder/registry/credential_finder.h"
#include "builder/registry/logins.h"
#include "builder/registry/registry_config.h"
#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

struct LoginArguments {
  std::string registry;
  std::string user;
  bool password_stdin = false;
  RegistryOptions options;
};

// Nothing that is typed shows while one of these lives.
class NoEcho {
 public:
  NoEcho() {
    if (tcgetattr(STDIN_FILENO, &before_) != 0) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    changed_ = tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet) == 0;
  }
  ~NoEcho() {
    if (!changed_) return;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);
    fmt::print(stderr, "\n");
  }
  NoEcho(const NoEcho&) = delete;
  NoEcho& operator=(const NoEcho&) = delete;

 private:
  termios before_{};
  bool changed_ = false;
};

// Without its end, and nothing else: blanks may belong to a password.
std::string ReadLine() {
  std::string line;
  std::getline(std::cin, line);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

CredentialFinder FinderOfHost() {
  const Environment environment = Environment::OfProcess();
  return CredentialFinder(environment, RegistryConfig::OfHost(environment).CredentialHelpers());
}

Credentials AskForCredentials(const LoginArguments& arguments) {
  Credentials credentials{
      .user = arguments.user, .password = {}, .identity_token = {}, .origin = "this login"};
  const bool terminal = isatty(STDIN_FILENO) == 1;
  if (credentials.user.empty() && terminal && !arguments.password_stdin) {
    fmt::print(stderr, "User: ");
    credentials.user = specs::Trim(ReadLine());
  }
  if (credentials.user.empty()) {
    throw specs::Error(specs::ErrorKind::kUsage, "the user is missing")
        .Hint("give it with -u USER");
  }
  if (!arguments.password_stdin && !terminal) {
    throw specs::Error(specs::ErrorKind::kUsage, "there is no terminal to ask for the password")
        .Hint("give it with --password-stdin");
  }
  if (arguments.password_stdin) {
    credentials.password = specs::Secret(ReadLine());
  } else {
    fmt::print(stderr, "Password: ");
    NoEcho quiet;
    credentials.password = specs::Secret(ReadLine());
  }
  return credentials;
}

// "registry.example", or a namespace there: "registry.example/team".
std::string RegistryOf(const LoginArguments& arguments) {
  std::string registry = specs::WithoutSlash(arguments.registry);
  if (specs::IsRegistryHost(registry.substr(0, registry.find('/')))) return registry;
  throw specs::Error(specs::ErrorKind::kUsage, fmt::format("\"{}\" is no registry", registry))
      .Expected("a host, such as registry.example or localhost:5000");
}

// GET /v2/ (distribution-spec, "Determining Support") answers 200 to who may come in.
void Verify(Session& session, const std::string& name, const RegistryOptions& options,
            const Credentials& credentials) {
  Endpoint endpoint = RegistryConfig::OfHost(Environment::OfProcess()).ForWriting(name, "");
  if (options.insecure) endpoint.transport = Transport::kFallback;
  Registry registry(session.http(), endpoint, credentials, Access::kPull);
  const HttpResponse response = registry.Ping();
  if (response.status != 200) throw registry.Failure("cannot log in", response);
}

int Login(const GlobalOptions& options, const LoginArguments& arguments) {
  const std::string registry = RegistryOf(arguments);
  const Credentials credentials = AskForCredentials(arguments);
  Session session(options);
  Verify(session, registry, arguments.options, credentials);
  fmt::print("logged in; kept in {}\n", KeepLogin(FinderOfHost(), registry, credentials));
  return 0;
}

int Logout(const LoginArguments& arguments) {
  const std::string registry = RegistryOf(arguments);
  const ForgottenLogin forgotten = ForgetLogin(FinderOfHost(), registry);
  fmt::print("{}\n", RenderLogout(forgotten, registry));
  return 0;
}

}  // namespace

void AddLoginCommands(Command app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<LoginArguments>();
  Command login = app.AddCommand("login", "Keep credentials for a registry");
  login.AddOption("registry", arguments->registry, "registry.example").Required();
  login.AddOption("-u,--username", arguments->user, "The user").TypeName("USER");
  login.AddFlag("--password-stdin", arguments->password_stdin,
                "Read the password from standard input");
  AddRegistryOptions(login, arguments->options);
  login.WhenGiven([&options, &run, arguments] {
    run = [&options, arguments] { return Login(options, *arguments); };
  });
  Command logout = app.AddCommand("logout", "Forget the credentials for a registry");
  logout.AddOption("registry", arguments->registry, "registry.example").Required();
  logout.WhenGiven([&run, arguments] { run = [arguments] { return Logout(*arguments); }; });
}

}  // namespace imgbuild::builder
