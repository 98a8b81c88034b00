#include "builder/cli/rootless.h"

#include <csignal>
#include <cstdio>
#include <filesystem>

#include <fmt/core.h>
#include <unistd.h>

#include "builder/assemble/image_files.h"
#include "builder/cli/additions.h"
#include "builder/cli/interrupt.h"
#include "builder/engine/containers.h"
#include "builder/engine/load.h"
#include "builder/engine/ports.h"
#include "builder/engine/spec_plan.h"
#include "builder/host/environment.h"
#include "builder/host/user_paths.h"
#include "builder/rootless/image_tree.h"
#include "builder/rootless/image_user.h"
#include "builder/rootless/listen_address.h"
#include "builder/rootless/root_folder.h"
#include "builder/rootless/rootless_run.h"
#include "builder/rootless/user_namespace.h"
#include "layers/store/cache_folder.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

namespace fs = std::filesystem;

void RequireFreePorts(const RunPlan& plan) {
  std::vector<std::string> taken;
  for (const PublishedPort& port : plan.ports) {
    if (!IsPortFree(port.inside)) taken.push_back(std::to_string(port.inside));
  }
  if (taken.empty()) return;
  throw specs::Error("ports of the services are taken on this machine")
      .Found("something listens on " + specs::Join(taken, ", "))
      .Expected("free ones: with --rootless services listen on this machine's own ports")
      .Hint("end what listens there, or give the service another one: --set services.NAME.port=N");
}

// Where services are to listen: on loopback, as what `up` publishes, unless somebody wants more.
std::string_view ListenAddress() {
  const std::string wanted =
      Environment::OfProcess().Get("IMGBUILD_BIND").value_or(std::string(kLoopback));
  for (std::string_view known : {kLoopback, kAnyAddress}) {
    if (wanted == known) return known;
  }
  throw specs::Error(specs::ErrorKind::kUsage, "IMGBUILD_BIND is no address for services")
      .Found(wanted)
      .Expected(fmt::format("{}, or {} for all of this machine's", kLoopback, kAnyAddress));
}

bool NamesAddress(const specs::Service& service) {
  std::string all = specs::Join(service.command, " ");
  for (const auto& [name, value] : service.env) all += " " + value;
  return all.find(kAnyAddress) != std::string::npos || all.find(kLoopback) != std::string::npos ||
         all.find("localhost") != std::string::npos;
}

void TellWhoIsReachable(Session& session, const specs::Spec& spec, std::string_view address) {
  std::vector<std::string> names;
  for (const specs::Service& service : spec.services) {
    const bool outside = address != kLoopback || !NamesAddress(service);
    if (service.port && outside) names.push_back(service.name);
  }
  if (names.empty()) return;
  session.progress().Warning(
      fmt::format("services share this machine's network: {} can be reached from outside, unless "
                  "a firewall keeps it",
                  specs::Join(names, ", ")));
}

// The image's services, bound to where they are to listen.
std::map<std::string, std::string> ServiceTable(const fs::path& tree, std::string_view address) {
  constexpr const char* kTable = "etc/imgbuild/services";
  const std::string table = RootFolder(tree).Read(kTable);
  std::string bound = WithAddress(table, address);
  if (bound == table) return {};
  return {{kTable, std::move(bound)}};
}

// Names in accounts need the image's files, which need to know whose they are: numbers do not.
UserIds UserOf(Session& session, const layers::PlatformImage& image, const UserIds& caller) {
  if (caller.uid == 0) return {};  // as engines do it: whoever runs this as root is root inside
  const std::string& user = image.config.user;
  if (user.find_first_not_of("0123456789:") == std::string::npos) return ImageUser(user, "", "");
  const ImageTree tree = FindOrMakeTree(session.store(), image, SingleMaps(caller, {}));
  const RootFolder root(tree.path);
  return ImageUser(user, root.Read("etc/passwd"), root.Read("etc/group"));
}

std::vector<std::string> WordsOf(const specs::ImageConfig& config,
                                 const std::vector<std::string>& command) {
  std::vector<std::string> words = config.entrypoint;
  const std::vector<std::string>& rest = command.empty() ? config.command : command;
  words.insert(words.end(), rest.begin(), rest.end());
  if (words.empty()) {
    throw specs::Error(specs::ErrorKind::kUsage, "the image says not what to start")
        .Expected("a command: imgbuild run --rootless -- COMMAND [ARGUMENT]...");
  }
  return words;
}

std::vector<std::string> EnvironmentOf(const specs::ImageConfig& config, const RunPlan& plan) {
  const Environment here = Environment::OfProcess();
  std::map<std::string, std::string> all = {{"container", "imgbuild"}};
  if (const auto terminal = here.Get("TERM"); terminal && plan.interactive) all["TERM"] = *terminal;
  all["HOME"] = HomeOf(plan);
  for (const auto& [name, value] : config.env) all[name] = value;
  for (const auto& [name, value] : plan.env) all[name] = value;
  for (const std::string& name : plan.variables) {
    if (const auto value = here.Get(name)) all[name] = *value;
  }
  std::vector<std::string> env;
  for (const auto& [name, value] : all) env.push_back(fmt::format("{}={}", name, value));
  return env;
}

std::vector<SharedFolder> VolumesOf(const RunPlan& plan) {
  const fs::path folder = DataDirectory(Environment::OfProcess()) / "volumes";
  std::vector<SharedFolder> volumes;
  for (const NamedVolume& volume : plan.volumes) {
    const fs::path host = folder / volume.name;
    std::error_code error;
    fs::create_directories(host, error);
    if (error) throw layers::FileError("create", host, error.value());
    volumes.push_back({host, volume.path});
  }
  return volumes;
}

// What packages were installed in it, a line each.
LookAtWritten LookForPackages(const fs::path& tree, const specs::Spec& spec) {
  std::string site =
      fmt::format("{}/lib/python{}/site-packages", kVenvPath.substr(1), spec.python.version);
  std::string known = RootFolder(tree).Read("etc/imgbuild/packages");
  return [site = std::move(site), known = std::move(known)](const RootFolder& written) {
    return specs::Join(WrittenPackages(written, site, known), "\n");
  };
}

void TellOfPackages(Session& session, std::string_view seen, const std::string& spec) {
  if (seen.empty()) return;
  std::vector<std::string> added;
  for (std::string_view line : specs::Split(seen, '\n')) added.emplace_back(line);
  session.progress().Info(RenderAdded(added, SpecOption(spec)));
}

}  // namespace

int RunWithoutEngine(Session& session, const ContainerOptions& options,
                     std::vector<std::string> command) {
  BuiltEnvironment environment = BuildEnvironment(session, options);
  RunPlan& plan = environment.plan;
  plan.container = ContainerName(environment.loaded.spec.image.name);
  AddHome(plan);
  RequireFreePorts(plan);
  if (plan.gpu) {
    session.progress().Warning("--rootless passes no GPU on: that takes a container engine");
  }
  const std::string_view address = ListenAddress();
  if (options.services) TellWhoIsReachable(session, environment.loaded.spec, address);
  const layers::PlatformImage& image = ForThisMachine(environment.image);
  const UserIds caller{.uid = geteuid(), .gid = getegid()};
  const UserIds user = UserOf(session, image, caller);
  RootlessRun run{.base = RootlessFolder(session.store()),
                  .tree = {},
                  .maps = GrantedMaps(caller, user),
                  .user = user,
                  .words = WordsOf(image.config, command),
                  .env = EnvironmentOf(image.config, plan),
                  .workdir = plan.workdir,
                  .files = {},
                  .folders = {{plan.folder, plan.workdir}},
                  .volumes = VolumesOf(plan)};
  const ImageTree tree = FindOrMakeTree(session.store(), image, run.maps);
  run.tree = tree.path;
  run.files = ServiceTable(run.tree, address);
  session.progress().Detail("ids: " + run.maps.Render());
  std::fflush(nullptr);
  // A shell says it by itself, and of a command nobody asks.
  LookAtWritten look;
  if (options.services && command.empty()) {
    look = LookForPackages(run.tree, environment.loaded.spec);
  }
  const RunEnd end = RunRootless(
      run, [](pid_t keeper) { PassInterrupts([keeper](int number) { ::kill(keeper, number); }); },
      look);
  TellOfPackages(session, end.seen, plan.spec);
  return end.status;
}

}  // namespace imgbuild::builder
