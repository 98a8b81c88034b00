#include <filesystem>

#include <fmt/core.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/image_access.h"
#include "builder/cli/image_place.h"
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

// "DIR[:TAG]", also of one that is not there, which is told by that name then.
bool IsLayout(const std::string& text) {
  std::error_code ignored;
  const std::filesystem::path path = text.substr(0, text.find(':'));
  if (HasTransport(text)) return false;
  if (std::filesystem::exists(path, ignored)) return std::filesystem::is_directory(path, ignored);
  const std::size_t slash = text.find('/');
  return slash == std::string::npos || !specs::IsRegistryHost(text.substr(0, slash));
}

// Without a text, what a build of spec.toml writes.
ImagePlace PlaceToPush(const Session& session, const std::string& text) {
  if (text.empty()) {
    const SpecOptions options{
        .files = {}, .settings = {}, .platforms = {}, .local_files = LocalFiles::kIgnored};
    const specs::LoadedSpec loaded = session.Load(options, "spec.toml");
    const Output output = DefaultOutput(loaded.spec.image);
    return {
        .kind = PlaceKind::kOci, .reference = {}, .path = output.path, .name = output.tags.front()};
  }
  ImagePlace place = ParsePlace(IsLayout(text) ? "oci:" + text : text);
  if (place.kind != PlaceKind::kRegistry) return place;
  throw specs::Error(specs::ErrorKind::kUsage, text + " is in a registry already")
      .Hint("imgbuild copy takes images from one registry to another");
}

layers::ImageSource ImageAt(Session& session, const ImagePlace& place) {
  if (place.kind == PlaceKind::kOci) return layers::OpenLayout(place.path, place.name);
  const FoundImage found = OpenImage(session, place, {});
  return ReadForRegistry(session, place.kind, *found.origin, "");
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
  const ImagePlace from =
      PlaceToPush(session, arguments.words.size() == 2 ? arguments.words.front() : "");
  const auto read = [&] { return layers::Annotated(ImageAt(session, from), annotations); };
  ReadAndPush(session, read, [&](const layers::ImageSource& image) {
    Pushes pushes(session, targets, arguments.registry);
    for (const Pushed& pushed : pushes.Finish(image)) {
      session.progress().Info(RenderPushed(pushed, image.root().digest));
    }
  });
  return 0;
}

}  // namespace

void AddPushCommand(Command app, const GlobalOptions& options, RunCommand& run) {
  auto arguments = std::make_shared<PushArguments>();
  Command command = app.AddCommand("push", "Push an image to a registry");
  command
      .AddOption("image", arguments->words,
                 "The image, oci:DIR[:TAG], oci-archive:FILE[:TAG] or docker-archive:FILE[:NAME] "
                 "(else what spec.toml builds), then where to put it: docker://HOST/NAME[:TAG]")
      .TypeName("[IMAGE] DESTINATION");
  command.AddOption("--tag", arguments->tags, "Another tag; may be repeated")
      .TypeName("TAG")
      .Repeatable();
  AddAnnotationOption(command, arguments->annotations);
  AddRegistryOptions(command, arguments->registry);
  command.WhenGiven([&options, &run, arguments] {
    run = [&options, arguments] { return Push(options, *arguments); };
  });
}

}  // namespace imgbuild::builder
