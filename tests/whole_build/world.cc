#include "tests/whole_build/world.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "specs/base/digest.h"
#include "tests/support/make_wheel.h"

namespace imgbuild::whole_build {
namespace {

using support::MiniDeb;

constexpr char kTool[] = "#!/bin/sh\necho tool\n";
constexpr char kAuthorization[] = "Basic c29tZWJvZHk6aHVzaC1odXNo";  // kUser:kPassword
// Where the fake client has what the server hands on.
constexpr char kInside[] = "http://inside.example";

MiniDeb PlainDeb(const std::string& name) {
  MiniDeb deb;
  deb.name = name;
  deb.files["usr/share/doc/" + name + "/copyright"] = "Anyone may do anything with " + name + ".\n";
  deb.files["usr/share/" + name + "/data"] = "data of " + name + "\n";
  return deb;
}

MiniDeb BasePasswd() {
  MiniDeb deb = PlainDeb("base-passwd");
  deb.files["usr/share/base-passwd/passwd.master"] =
      "root:*:0:0:root:/root:/bin/bash\n"
      "nobody:*:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
  deb.files["usr/share/base-passwd/group.master"] = "root:*:0:\nshadow:*:42:\nnogroup:*:65534:\n";
  return deb;
}

MiniDeb Bash() {
  MiniDeb deb = PlainDeb("bash");
  deb.files["bin/bash"] = "not really a shell\n";  // bookworm still ships it outside /usr
  deb.modes["bin/bash"] = 0755;
  deb.fields["Depends"] = "libc6 (>= 2.36)";
  return deb;
}

// A package of each architecture, larger than others: a tier of its own.
MiniDeb LibC(const std::string& architecture) {
  MiniDeb deb = PlainDeb("libc6");
  deb.version = "2.36-9+deb12u1";
  deb.architecture = architecture;
  const std::string triplet = architecture == "amd64" ? "x86_64-linux-gnu" : "aarch64-linux-gnu";
  deb.files["usr/lib/" + triplet + "/libc.so.6"] =
      Noise(1'200'000, architecture == "amd64" ? 1 : 2);
  deb.links["usr/lib/" + triplet + "/libc.so"] = "libc.so.6";
  return deb;
}

// RFC 3986, 2.1.
std::string Decoded(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      plain += static_cast<char>(std::stoi(std::string(text.substr(i + 1, 2)), nullptr, 16));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

}  // namespace

std::string Noise(std::size_t size, std::uint32_t seed) {
  std::mt19937 random(seed);
  std::string bytes(size, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random() >> 24);
  return bytes;
}

World::World(Contents contents)
    : archive_(http_, std::string(kInside) + "/debian", std::string(kInside) + "/debian-security") {
  AddDebs();
  index_.expected_authorization = kAuthorization;
  support::MiniSuite updates;
  updates.codename = "bookworm-updates";
  support::MiniSuite security;
  security.codename = "bookworm-security";
  for (support::MiniSuite* suite : {&suite_, &updates, &security}) {
    suite->components = {"main", "contrib", "non-free"};
    suite->date = "Sat, 10 Feb 2024 11:07:25 UTC";
    archive_.Publish(*suite);
  }
  http_.Serve(std::string(kInside) + "/tool", kTool);
  AddWheel("pip", "24.0", {}, 3000);
  AddWheel("starlette", "0.36", {}, 20'000);
  AddWheel("uvicorn", "0.27", {}, 20'000);
  AddWheel("fastapi", "0.109", {"starlette>=0.36"}, 50'000);
  AddWheel("python-fasthtml", "0.1", {"starlette", "uvicorn>=0.20"}, 9000);
  if (contents == Contents::kAll) {
    AddWheel("numpy", "1.26", {}, 9'000'000);  // a layer of its own
    AddWheel("jupyterlab", "4.1", {}, 1'500'000);
  }
  Restart();
}

void World::AddDebs() {
  suite_.codename = "bookworm";
  for (const char* name :
       {"ca-certificates", "coreutils", "dash", "diffutils", "grep", "libgcc-s1", "libstdc++6",
        "media-types", "ncurses-base", "netbase", "python3-distutils", "sed", "usr-is-merged"}) {
    suite_.packages.push_back(PlainDeb(name));
  }
  suite_.packages.push_back(BasePasswd());
  MiniDeb base_files = PlainDeb("base-files");
  for (const char* name : {"dot.profile", "dot.bashrc", "profile", "motd"}) {
    base_files.files[std::string("usr/share/base-files/") + name] = "# shipped\n";
  }
  suite_.packages.push_back(base_files);
  MiniDeb libc_bin = PlainDeb("libc-bin");
  libc_bin.files["usr/share/libc-bin/nsswitch.conf"] = "hosts: files dns\n";
  suite_.packages.push_back(libc_bin);
  suite_.packages.push_back(Bash());
  suite_.packages.push_back(LibC("amd64"));
  suite_.packages.push_back(LibC("arm64"));
  MiniDeb tzdata = PlainDeb("tzdata");
  tzdata.files["usr/share/zoneinfo/Etc/UTC"] = "TZif2";
  suite_.packages.push_back(tzdata);
  MiniDeb python3 = PlainDeb("python3");
  python3.version = "3.11.2-1+b1";
  python3.fields["Depends"] = "python3.11 (>= 3.11.2-1~)";
  python3.links["usr/bin/python3"] = "python3.11";
  suite_.packages.push_back(python3);
  MiniDeb python = PlainDeb("python3.11");
  python.version = "3.11.2-6";
  python.fields["Depends"] = "python3.11-minimal (= 3.11.2-6)";
  suite_.packages.push_back(python);
  MiniDeb minimal = PlainDeb("python3.11-minimal");
  minimal.version = "3.11.2-6";
  minimal.files["usr/bin/python3.11"] = "not really Python\n";
  minimal.modes["usr/bin/python3.11"] = 0755;
  minimal.fields["Depends"] = "libc6 (>= 2.36)";
  suite_.packages.push_back(minimal);
}

void World::AddWheel(const std::string& name, const std::string& version,
                     const std::vector<std::string>& requires_dist, std::size_t size) {
  std::string module = name;
  for (char& c : module) c = c == '-' ? '_' : c;
  support::MakeWheel wheel;
  wheel.name = module;
  wheel.version = version;
  wheel.requires_dist = requires_dist;
  wheel.members = {
      {.name = module + "/__init__.py", .content = "__version__ = \"" + version + "\"\n"},
      {.name = module + "/data.bin",
       .content = Noise(size, static_cast<std::uint32_t>(size) + module.front())}};
  for (const support::WheelMember& member : wheel.members) modules_[member.name] = member.content;
  index_.AddFile(name, {.filename = wheel.FileName(), .content = wheel.Bytes()});
}

void World::Restart() {
  server_.reset();
  server_ =
      std::make_unique<support::LoopbackServer>([this](const support::ServedRequest& request) {
        Fault fault;
        {
          std::lock_guard lock(mutex_);
          fault = fault_;
        }
        if (fault) {
          if (auto response = fault(request)) return *std::move(response);
        }
        return Answer(request);
      });
}

void World::SetFault(Fault fault) {
  std::lock_guard lock(mutex_);
  fault_ = std::move(fault);
}

void World::Republish(const std::function<void(support::MiniSuite&)>& change) {
  change(suite_);
  archive_.Publish(suite_);
}

std::string World::tool_sha256() const { return specs::HashOf(kTool).Hex(); }

support::ServedResponse World::Answer(const support::ServedRequest& request) {
  support::ServedResponse response;
  {
    std::lock_guard lock(mutex_);
    response = index_.Answer(request);
  }
  if (response.status != 404) return response;
  std::string url = kInside + Decoded(request.target);
  // As a proxy it is given whole URLs (RFC 9112, 3.2.2).
  if (request.target.starts_with(kFilesUrl)) {
    const std::string plain = request.target.substr(0, request.target.find('?'));
    url = kInside + plain.substr(sizeof kFilesUrl - 1);
  }
  const builder::HttpResponse found = http_.Fetch({.url = url});
  response = {.status = found.status, .headers = {}, .body = {}};
  if (found.status == 200) response = support::ServeBytes(request, found.body);
  return response;
}

namespace {

[[noreturn]] void Become(const Invocation& run, int output, char* const* arguments,
                         char* const* environment) {
  umask(run.umask);
  if (run.most_file_size) {
    const rlimit limit{.rlim_cur = *run.most_file_size, .rlim_max = *run.most_file_size};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  if (run.ignored_signal) signal(*run.ignored_signal, SIG_IGN);
  const bool changed =
      !run.user || (setgroups(0, nullptr) == 0 && setgid(*run.user) == 0 && setuid(*run.user) == 0);
  if (changed && chdir(run.folder.c_str()) == 0) {
    dup2(output, 1);
    dup2(output, 2);
    execve(IMGBUILD_PROGRAM, arguments, environment);
  }
  _exit(127);
}

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

int Status(int status) { return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status); }

}  // namespace

Running::Running(const World& world, const Invocation& run) : log_(run.folder.string() + ".log") {
  std::map<std::string, std::string> variables = {
      {"PATH", "/usr/bin:/bin"},
      {"HOME", run.folder.string()},
      {"http_proxy", "http://" + world.host()},
      {"NO_PROXY", "127.0.0.1"},
      {"IMGBUILD_DEBIAN_MIRROR",
       fmt::format("http://{}:{}@{}/debian", kUser, kPassword, world.host())},
      {"IMGBUILD_DEBIAN_SECURITY_MIRROR",
       fmt::format("http://{}:{}@{}/debian-security", kUser, kPassword, world.host())},
      {"PIP_INDEX_URL", fmt::format("http://{}:{}@{}/simple", kUser, kPassword, world.host())}};
  for (const char* name : {"ASAN_OPTIONS", "TSAN_OPTIONS", "UBSAN_OPTIONS"}) {
    if (const char* value = std::getenv(name)) variables[name] = value;
  }
  for (const auto& [name, value] : run.environment) variables[name] = value;
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  std::vector<std::string> arguments = {"imgbuild", "--cache-dir", run.cache.string()};
  arguments.insert(arguments.end(), run.arguments.begin(), run.arguments.end());

  const int output = open(log_.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  const std::vector<char*> argv = Pointers(arguments);
  const std::vector<char*> envp = Pointers(environment);
  child_ = fork();
  if (child_ < 0) throw std::runtime_error("cannot fork");
  if (child_ == 0) Become(run, output, argv.data(), envp.data());
  close(output);
}

Running::~Running() {
  if (child_ <= 0) return;
  Signal(SIGKILL);
  Wait();
}

void Running::Signal(int number) const { kill(child_, number); }

Ended Running::Wait() {
  int status = 0;
  waitpid(child_, &status, 0);
  child_ = -1;
  std::ifstream stream(log_, std::ios::binary);
  return {Status(status), std::string(std::istreambuf_iterator<char>(stream), {})};
}

Ended Execute(const World& world, const Invocation& run,
              std::optional<std::chrono::microseconds> kill_after) {
  Running running(world, run);
  if (kill_after) {
    std::this_thread::sleep_for(*kill_after);
    running.Signal(SIGKILL);
  }
  return running.Wait();
}

}  // namespace imgbuild::whole_build
