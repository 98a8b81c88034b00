#include <cstdio>

#include <CLI/CLI.hpp>
#include <fmt/core.h>

#include "builder/cli/commands.h"
#include "builder/cli/outputs.h"
#include "builder/cli/registry_access.h"
#include "builder/cli/session.h"
#include "builder/registry/push.h"
#include "layers/image/image_source.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

struct PushArguments {
  std::vector<std::string> words;  // [IMAGE] DESTINATION
  std::vector<std::string> tags;
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

void Tell(Session& session, const specs::Reference& reference, const std::vector<std::string>& tags,
          const layers::ImageSource& image, const PushResult& result) {
  const std::string digest = image.root().digest.Oci();
  std::string text = fmt::format("pushed {}@{}", reference.Name(), digest);
  for (const std::string& tag : tags) text += fmt::format("\n  {}:{}", reference.Name(), tag);
  text += result.unchanged
              ? "\n  it was there already"
              : fmt::format("\n  {} sent, {} mounted, {} there before; {} over the network",
                            specs::Count(result.uploaded, "blob"), result.mounted, result.present,
                            specs::HumanBytes(result.bytes_sent));
  session.progress().Info(text);
}

int Push(const GlobalOptions& options, const PushArguments& arguments) {
  if (arguments.words.empty() || arguments.words.size() > 2) {
    throw specs::Error(specs::ErrorKind::kUsage, "push takes an image and where to put it")
        .Expected("imgbuild push [oci:DIR[:TAG]] docker://registry.example/team/name:tag");
  }
  const specs::Reference reference = ParseRegistryReference(arguments.words.back());
  if (reference.digest) {
    throw specs::Error(specs::ErrorKind::kUsage,
                       "an image cannot be pushed to a digest: it has one already")
        .Expected("a tag: " + reference.Name() + ":tag");
  }
  std::vector<std::string> tags = arguments.tags;
  if (!reference.tag.empty()) tags.insert(tags.begin(), reference.tag);
  if (tags.empty()) tags = {"latest"};
  for (const std::string& tag : tags) {
    if (!specs::IsTag(tag)) {
      throw specs::Error(specs::ErrorKind::kUsage, fmt::format("\"{}\" is no tag", tag))
          .Expected("letters, digits, \"_\", \".\" and \"-\", at most 128");
    }
  }

  Session session(options);
  const LayoutName from =
      ImageToPush(session, arguments.words.size() == 2 ? arguments.words.front() : "");
  const layers::ImageSource image = layers::OpenLayout(from.folder, from.name);
  const auto registry = OpenForWriting(session, reference, arguments.registry, Access::kPush);
  PushMemory memory(session.store().IndexDirectory("push"));
  const PushResult result = PushImage(*registry, memory, image, {.tags = tags}, session.progress());
  Tell(session, reference, tags, image, result);
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
  AddRegistryOptions(*command, arguments->registry);
  command->callback([&options, &run, arguments] {
    run = [&options, arguments] { return Push(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
