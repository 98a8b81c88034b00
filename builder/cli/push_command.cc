#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "builder/cli/commands.h"
#include "builder/cli/outputs.h"
#include "builder/cli/pushes.h"
#include "builder/cli/session.h"
#include "layers/image/annotate.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

struct PushArguments {
  std::vector<std::string> words;  // [IMAGE] DESTINATION
  std::vector<std::string> tags;
  std::vector<std::string> annotations;
  RegistryOptions registry;
};

struct LayoutName {
  std::filesystem::path folder;
  std::string name;
};

// "oci:DIR[:TAG]", "DIR[:TAG]"; without one, what a build of spec.toml writes.
LayoutName ImageToPush(const Session& session, std::string_view text) {
  if (text.empty()) {
    const specs::LoadedSpec loaded = session.Load({}, "spec.toml");
    const Output output = DefaultOutput(loaded.spec.image);
    return {output.path, output.tags.front()};
  }
  if (text.starts_with("oci:")) text.remove_prefix(4);
  const std::size_t colon = text.find(':');
  return {text.substr(0, colon),
          colon == std::string_view::npos ? "" : std::string(text.substr(colon + 1))};
}

int Push(const GlobalOptions& options, const PushArguments& arguments) {
  if (arguments.words.empty() || arguments.words.size() > 2) {
    throw specs::Error(specs::ErrorKind::kUsage, "push takes an image and where to put it")
        .Expected("imgbuild push [oci:DIR[:TAG]] docker://registry.example/team/name:tag");
  }
  std::vector<PushTarget> targets = ParsePushTargets({arguments.words.back()});
  for (const std::string& tag : arguments.tags) {
    if (!specs::IsTag(tag)) {
      throw specs::Error(specs::ErrorKind::kUsage, fmt::format("\"{}\" is no tag", tag))
          .Expected("letters, digits, \"_\", \".\" and \"-\", at most 128");
    }
    targets.front().tags.push_back(tag);
  }
  const auto annotations = ParseAnnotations(arguments.annotations);

  Session session(options);
  const LayoutName from =
      ImageToPush(session, arguments.words.size() == 2 ? arguments.words.front() : "");
  const layers::ImageSource image =
      layers::Annotated(layers::OpenLayout(from.folder, from.name), annotations);
  Pushes pushes(session, std::move(targets), arguments.registry);
  for (const Pushed& pushed : pushes.Finish(image)) {
    session.progress().Info(RenderPushed(pushed, image.root().digest));
  }
  return 0;
}

}  // namespace

void AddPushCommand(CLI::App& app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<PushArguments>();
  CLI::App* command = app.add_subcommand("push", "Push an image to a registry");
  command
      ->add_option("image", arguments->words,
                   "The image, oci:DIR[:TAG] (else what spec.toml builds), then where to put it: "
                   "docker://HOST/NAME[:TAG]")
      ->type_name("[IMAGE] DESTINATION");
  command->add_option("--tag", arguments->tags, "Another tag; may be repeated")
      ->type_name("TAG")
      ->take_all()
      ->allow_extra_args(false);
  AddAnnotationOption(*command, arguments->annotations);
  AddRegistryOptions(*command, arguments->registry);
  command->callback([&options, &run, arguments] {
    run = [&options, arguments] { return Push(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
