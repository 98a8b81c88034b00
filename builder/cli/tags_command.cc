#include <cstdio>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "builder/cli/command_line.h"
#include "builder/cli/commands.h"
#include "builder/cli/confirm.h"
#include "builder/cli/image_access.h"
#include "builder/cli/session.h"
#include "builder/registry/manifest_fetch.h"
#include "builder/registry/tags.h"
#include "specs/base/error.h"

namespace imgbuild::builder {
namespace {

using specs::Error;
using specs::ErrorKind;

constexpr std::size_t kMostCompared = 200;  // tags that are asked for where they lead

struct TagsArguments {
  std::string repository;
  RegistryOptions registry;
};

struct RmArguments {
  std::string image;
  bool by_digest = false;
  bool yes = false;
  RegistryOptions registry;
};

int Tags(const GlobalOptions& options, const TagsArguments& arguments) {
  const specs::Reference reference = ParseRegistryPlace(arguments.repository);
  if (!reference.tag.empty() || reference.digest) {
    throw Error(ErrorKind::kUsage, "tags takes a repository, without a tag")
        .Expected(reference.Name());
  }
  GlobalOptions quiet = options;
  if (quiet.style == ReportStyle::kJson) quiet.style = ReportStyle::kPlain;
  Session session(quiet);
  // Of a mirror they could be others: the registry itself knows.
  const auto registry = std::move(OpenForReading(session, reference, arguments.registry).back());
  const std::vector<std::string> tags = ListTags(*registry);
  if (options.style == ReportStyle::kJson) {
    const nlohmann::ordered_json json = {{"name", reference.Name()}, {"tags", tags}};
    fmt::print("{}\n", json.dump(2));
    return 0;
  }
  for (const std::string& tag : tags) fmt::print("{}\n", tag);
  return 0;
}

void Ask(const RmArguments& arguments, const std::string& question) {
  if (arguments.yes) return;
  Confirm(question, isatty(STDIN_FILENO) == 1 ? Asking::kTerminal : Asking::kNobody, std::cin);
}

std::string Quoted(const std::vector<std::string>& tags) {
  return tags.empty() ? "no tags" : fmt::format("tags {}", fmt::join(tags, ", "));
}

specs::Sha256 DigestOf(Registry& registry, const specs::Reference& reference) {
  const auto manifest = FetchManifest(registry, ReferenceText(reference));
  if (manifest) return manifest->descriptor.digest;
  throw Error(fmt::format("{} has no tag {}", registry.Name(), ReferenceText(reference)))
      .Hint(fmt::format("its tags: imgbuild tags {}", registry.Name()));
}

void RemoveManifest(Session& session, Registry& registry, const specs::Reference& reference,
                    const RmArguments& arguments) {
  const specs::Sha256 digest = reference.digest ? *reference.digest : DigestOf(registry, reference);
  const auto tags = FindTagsOf(registry, digest, kMostCompared);
  const std::string goes = tags ? Quoted(*tags) : "all tags that lead to it";
  Ask(arguments, fmt::format("delete {}@{}, with {}?", registry.Name(), digest.Oci(), goes));
  if (!DeleteManifest(registry, digest)) {
    throw Error(fmt::format("{} has no manifest {}", registry.Name(), digest.Oci()));
  }
  session.progress().Info(
      fmt::format("deleted {}@{}, with {}", registry.Name(), digest.Oci(), goes));
}

void RemoveTag(Session& session, Registry& registry, const specs::Reference& reference,
               const RmArguments& arguments) {
  const std::string name = registry.Name() + ":" + reference.tag;
  Ask(arguments, fmt::format("delete the tag {}?", name));
  switch (DeleteTag(registry, reference.tag)) {
    case TagDeletion::kDeleted:
      session.progress().Info("deleted " + name);
      return;
    case TagDeletion::kUnknown:
      throw Error(fmt::format("{} has no tag {}", registry.Name(), reference.tag))
          .Hint(fmt::format("its tags: imgbuild tags {}", registry.Name()));
    case TagDeletion::kUnsupported:
      throw Error(fmt::format("{} cannot delete a tag alone", registry.Name()))
          .Hint(
              fmt::format("imgbuild rm --digest {} deletes the manifest, with all its tags", name));
  }
}

int Remove(const GlobalOptions& options, const RmArguments& arguments) {
  const specs::Reference reference = ParseRegistryPlace(arguments.image);
  if (reference.tag.empty() && !reference.digest) {
    throw Error(ErrorKind::kUsage, "rm takes a tag or a digest")
        .Expected(reference.Name() + ":TAG");
  }
  Session session(options);
  const auto registry = OpenForWriting(session, reference, arguments.registry, Access::kDelete);
  if (arguments.by_digest || reference.digest) {
    RemoveManifest(session, *registry, reference, arguments);
  } else {
    RemoveTag(session, *registry, reference, arguments);
  }
  return 0;
}

}  // namespace

void AddTagsCommands(Command app, const GlobalOptions& options, RunCommand& run) {
  auto tags = std::make_shared<TagsArguments>();
  Command list = app.AddCommand("tags", "List the tags of a repository");
  list.AddOption("repository", tags->repository, "docker://HOST/NAME").Required();
  AddRegistryOptions(list, tags->registry);
  list.WhenGiven(
      [&options, &run, tags] { run = [&options, tags] { return Tags(options, *tags); }; });

  auto rm = std::make_shared<RmArguments>();
  Command remove = app.AddCommand("rm", "Delete a tag or an image from a registry");
  remove.AddOption("image", rm->image, "docker://HOST/NAME:TAG or @DIGEST").Required();
  remove.AddFlag("--digest", rm->by_digest,
                 "The manifest that the tag leads to, and so all of its tags");
  remove.AddFlag("-y,--yes", rm->yes, "Do not ask");
  AddRegistryOptions(remove, rm->registry);
  remove.WhenGiven([&options, &run, rm] { run = [&options, rm] { return Remove(options, *rm); }; });
}

}  // namespace imgbuild::builder
