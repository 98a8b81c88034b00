#include <fmt/core.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/copy_image.h"
#include "builder/cli/platform_option.h"
#include "builder/cli/session.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

struct CopyArguments {
  std::string from;
  std::string to;  // "": NAME.oci
  std::string platform;
  bool referrers = false;
  bool oci = false;
  RegistryOptions registry;
};

int Copy(const GlobalOptions& options, const CopyArguments& arguments) {
  const CopyRequest request{
      .from = ParsePlace(arguments.from),
      .to = ParsePlace(arguments.to),
      .platform = arguments.platform,
      .referrers = arguments.referrers ? CopyReferrers::kYes : CopyReferrers::kNo,
      .form = arguments.oci ? CopyForm::kOci : CopyForm::kAsIs,
      .registry = arguments.registry};
  Session session(options);
  CopyImage(session, request);
  return 0;
}

int Pull(const GlobalOptions& options, const CopyArguments& arguments) {
  CopyRequest request{.from = {.kind = PlaceKind::kRegistry,
                               .reference = ParseRegistryPlace(arguments.from),
                               .path = {},
                               .name = {}},
                      .to = {},
                      .platform = arguments.platform,
                      .referrers = CopyReferrers::kNo,
                      .form = arguments.oci ? CopyForm::kOci : CopyForm::kAsIs,
                      .registry = arguments.registry};
  if (arguments.to.empty()) {
    const std::string& repository = request.from.reference.repository;
    request.to = {.kind = PlaceKind::kOci,
                  .reference = {},
                  .path = repository.substr(repository.rfind('/') + 1) + ".oci",
                  .name = {}};
  } else {
    request.to = ParsePlace(arguments.to);
  }
  Session session(options);
  CopyImage(session, request);
  return 0;
}

void AddFormOption(Command command, CopyArguments& arguments) {
  command.AddFlag("--oci", arguments.oci,
                  "Turn docker's media types into those of OCI; the digest changes");
}

}  // namespace

void AddCopyCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<CopyArguments>();
  Command command = app.AddCommand("copy", "Copy an image from one place to another");
  command
      .AddOption("from", arguments->from,
                 "docker://HOST/NAME[:TAG|@DIGEST], oci:DIR[:TAG], oci-archive:FILE[:TAG] or "
                 "docker-archive:FILE[:NAME]")
      .Required();
  command.AddOption("to", arguments->to, "The same").Required();
  AddPlatformOption(command, arguments->platform);
  AddFormOption(command, *arguments);
  command.AddFlag("--referrers", arguments->referrers,
                  "Also what is attached to it: signatures, SBOMs");
  AddRegistryOptions(command, arguments->registry);
  command.WhenGiven([&options, &run, arguments] {
    run = [&options, arguments] { return Copy(options, *arguments); };
  });
}

void AddPullCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<CopyArguments>();
  Command command = app.AddCommand("pull", "Fetch an image from a registry");
  command.AddOption("image", arguments->from, "docker://HOST/NAME[:TAG|@DIGEST]").Required();
  command
      .AddOption("-o,--output", arguments->to,
                 "Where to, as for copy; NAME.oci in the current directory where not given")
      .TypeName("PLACE");
  AddPlatformOption(command, arguments->platform);
  AddFormOption(command, *arguments);
  AddRegistryOptions(command, arguments->registry);
  command.WhenGiven([&options, &run, arguments] {
    run = [&options, arguments] { return Pull(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
