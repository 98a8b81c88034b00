#include <cstdio>

#include <fmt/core.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/image_access.h"
#include "builder/cli/inspection.h"
#include "builder/cli/platform_option.h"
#include "builder/cli/session.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

struct InspectArguments {
  std::string place;
  std::string platform;
  bool raw = false;
  bool referrers = false;
  RegistryOptions registry;
};

int Inspect(const GlobalOptions& options, const InspectArguments& arguments) {
  const ImagePlace place = ParsePlace(arguments.place);
  const bool json = options.style == ReportStyle::kJson;
  if (arguments.referrers && place.kind != PlaceKind::kRegistry) {
    throw specs::Error(specs::ErrorKind::kUsage, "only registries know what refers to an image")
        .Expected("docker://HOST/NAME[:TAG]");
  }
  // Standard output is the document's alone.
  GlobalOptions quiet = options;
  if (json) quiet.style = ReportStyle::kPlain;
  if (quiet.verbosity == Verbosity::kNormal) quiet.verbosity = Verbosity::kQuiet;
  Session session(quiet);
  const FoundImage found = OpenImage(session, place, arguments.registry);
  if (arguments.raw) {
    const layers::ImageParts parts = layers::ReadParts(*found.origin, arguments.platform);
    const std::string& bytes = parts.documents.back().bytes;
    std::fwrite(bytes.data(), 1, bytes.size(), stdout);
    return 0;
  }
  Inspection inspection = builder::Inspect(*found.origin, place.Render(), arguments.platform);
  if (arguments.referrers) {
    inspection.referrers = ListReferrers(found.registry->registry(), inspection.root.digest);
  }
  if (json) {
    fmt::print("{}\n", InspectionJson(inspection));
  } else {
    fmt::print("{}", RenderInspection(inspection));
  }
  return 0;
}

}  // namespace

void AddInspectCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<InspectArguments>();
  Command command = app.AddCommand("inspect", "Show what an image is; --json for programs");
  command
      .AddOption("place", arguments->place,
                 "docker://HOST/NAME[:TAG|@DIGEST], oci:DIR[:TAG], oci-archive:FILE[:TAG] or "
                 "docker-archive:FILE[:NAME]")
      .Required();
  AddPlatformOption(command, arguments->platform);
  command.AddFlag("--raw", arguments->raw, "The manifest or index, byte for byte");
  command.AddFlag("--referrers", arguments->referrers,
                  "Also what is attached to it: signatures, SBOMs");
  AddRegistryOptions(command, arguments->registry);
  command.WhenGiven([&options, &run, arguments] {
    run = [&options, arguments] { return Inspect(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
