#include "builder/cli/pushes.h"

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {

std::string PushTarget::Name() const {
  return fmt::format("{}:{}", repository.Name(), tags.front());
}

std::vector<PushTarget> ParsePushTargets(const std::vector<std::string>& texts) {
  std::vector<PushTarget> targets;
  for (const std::string& text : texts) {
    specs::Reference reference = ParseRegistryReference(text);
    if (reference.digest) {
      throw specs::Error(specs::ErrorKind::kUsage,
                         "an image cannot be pushed to a digest: it has one already")
          .Found(text)
          .Expected("a tag: " + reference.Name() + ":tag");
    }
    const std::string tag = reference.tag.empty() ? "latest" : reference.tag;
    reference.tag.clear();
    auto target = std::ranges::find_if(targets, [&](const PushTarget& candidate) {
      return candidate.repository.Name() == reference.Name();
    });
    if (target == targets.end()) target = targets.insert(target, {std::move(reference), {}});
    if (std::ranges::find(target->tags, tag) == target->tags.end()) target->tags.push_back(tag);
  }
  return targets;
}

std::map<std::string, std::string> ParseAnnotations(const std::vector<std::string>& texts) {
  std::map<std::string, std::string> annotations;
  for (const std::string& text : texts) {
    const std::size_t equals = text.find('=');
    if (equals == 0 || equals == std::string::npos) {
      throw specs::Error(specs::ErrorKind::kUsage, fmt::format("--annotation {}: no key", text))
          .Expected("KEY=VALUE, as in org.opencontainers.image.revision=3f2c1e");
    }
    annotations[text.substr(0, equals)] = text.substr(equals + 1);
  }
  return annotations;
}

std::string RenderPushed(const Pushed& pushed, const specs::Sha256& digest) {
  const PushResult& result = pushed.result;
  const std::string name = pushed.target.repository.Name();
  std::string text = fmt::format("pushed {}@{}", name, digest.Oci());
  for (const std::string& tag : pushed.target.tags) text += fmt::format("\n  {}:{}", name, tag);
  if (result.unchanged) return text + "\n  it was there already";
  return text + fmt::format("\n  {} sent, {} mounted, {} there before; {} over the network",
                            specs::Count(result.uploaded, "blob"), result.mounted, result.present,
                            specs::HumanBytes(result.bytes_sent));
}

struct Pushes::Way {
  Way(Session& session, PushMemory& memory, PushTarget given, const RegistryOptions& options,
      const UploadOptions& upload)
      : target(std::move(given)),
        registry(OpenForWriting(session, target.repository, options, Access::kPush)),
        push(*registry, memory, {.tags = target.tags, .upload = upload}, session.progress()) {}

  const PushTarget target;
  const std::unique_ptr<Registry> registry;
  ImagePush push;
};

Pushes::Pushes(Session& session, std::vector<PushTarget> targets, const RegistryOptions& options,
               const UploadOptions& upload) {
  if (!targets.empty()) memory_.emplace(session.store().IndexDirectory("push"));
  for (PushTarget& target : targets) {
    ways_.push_back(std::make_unique<Way>(session, *memory_, std::move(target), options, upload));
  }
}

Pushes::~Pushes() = default;

bool Pushes::AllGoTo(std::string_view host) const {
  return std::ranges::all_of(
      ways_, [&](const auto& way) { return way->registry->endpoint().host == host; });
}

void Pushes::CheckAccess() {
  for (const std::unique_ptr<Way>& way : ways_) {
    const HttpResponse answer = way->registry->Ping();
    if (answer.status != 200) throw way->registry->Failure("cannot be pushed to", answer);
  }
}

void Pushes::Add(const PushBlob& blob) {
  for (const std::unique_ptr<Way>& way : ways_) way->push.Add(blob);
}

void Pushes::RememberHome(std::string_view host, std::string_view repository,
                          const specs::Sha256& blob) {
  if (memory_) memory_->SuggestHome(host, repository, blob);
}

std::vector<Pushed> Pushes::Finish(const layers::ImageSource& image) {
  std::vector<Pushed> all;
  std::exception_ptr failure;
  for (const std::unique_ptr<Way>& way : ways_) {
    try {
      all.push_back({way->target, way->push.Finish(image)});
    } catch (...) {
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  return all;
}

}  // namespace imgbuild::builder
