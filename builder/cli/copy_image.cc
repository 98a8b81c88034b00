#include "builder/cli/copy_image.h"

#include <functional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "builder/registry/needed_blobs.h"
#include "builder/registry/push.h"
#include "builder/registry/referrers.h"
#include "layers/image/as_oci.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using layers::ImageParts;
using layers::ImageSource;
using specs::Error;
using specs::ErrorKind;

constexpr std::size_t kMostReferrers = 10'000;

void RequireSense(const CopyRequest& request) {
  if (request.to.kind == PlaceKind::kRegistry && request.to.reference.digest) {
    throw Error(ErrorKind::kUsage, "an image cannot be copied to a digest: it has one already")
        .Expected("a tag: " + request.to.reference.Name() + ":tag");
  }
  const bool registries =
      request.from.kind == PlaceKind::kRegistry && request.to.kind == PlaceKind::kRegistry;
  if (request.referrers == CopyReferrers::kYes && !registries) {
    throw Error(ErrorKind::kUsage, "--referrers copies from one registry to another")
        .Expected("docker://… twice");
  }
  if (request.referrers == CopyReferrers::kYes && request.form == CopyForm::kOci) {
    throw Error(ErrorKind::kUsage,
                "what is attached to an image is not to another digest: "
                "--referrers and --oci exclude each other");
  }
}

ImageSource Formed(const CopyRequest& request, ImageSource image) {
  return request.form == CopyForm::kOci ? layers::AsOci(std::move(image)) : std::move(image);
}

// The way into a repository, from wherever an image comes.
class RegistryTarget {
 public:
  RegistryTarget(Session& session, const CopyRequest& request)
      : session_(session),
        request_(request),
        registry_(OpenForWriting(session, request.to.reference, request.registry, Access::kPush)),
        memory_(session.store().IndexDirectory("push")) {}

  // Streams through the store what the target cannot have otherwise.
  PushResult CopyFrom(RegistryOrigin& from, const ImageParts& parts,
                      const std::vector<std::string>& tags) {
    layers::RequireOwnBlobs(parts);
    std::vector<specs::Descriptor> blobs;
    for (const specs::DocumentLink& blob : parts.blobs) blobs.push_back(blob.descriptor);
    std::vector<specs::Descriptor> needed;
    if (!HasManifest(*registry_, parts.root())) {
      const Endpoint& source = from.registry().endpoint();
      const bool same = source.host == registry_->endpoint().host;
      needed = NeededBlobs(*registry_, memory_, same ? source.repository : "", blobs);
    }
    return Push(
        [&] {
          if (!needed.empty()) from.Files(needed);
          ImageSource image;
          for (const specs::Descriptor& blob : blobs) {
            image.blobs.push_back({blob, session_.store().paths().Blob(blob.digest)});
          }
          image.documents = parts.documents;
          return Formed(request_, std::move(image));
        },
        tags);
  }

  PushResult Push(const std::function<ImageSource()>& read, const std::vector<std::string>& tags) {
    const PushOptions options{.tags = tags};
    PushResult result;
    ReadAndPush(session_, read, [&](const ImageSource& image) {
      digest_ = image.root().digest;
      result = PushImage(*registry_, memory_, image, options, session_.progress());
    });
    return result;
  }

  Registry& registry() { return *registry_; }
  // Of what was pushed last.
  const specs::Sha256& digest() const { return digest_; }

 private:
  Session& session_;
  const CopyRequest& request_;
  std::unique_ptr<Registry> registry_;
  PushMemory memory_;
  specs::Sha256 digest_;
};

// What was attached to any document of the image, and what was attached to that.
std::size_t CopyAllReferrers(Session& session, const CopyRequest& request, RegistryOrigin& from,
                             RegistryTarget& target, const ImageParts& parts) {
  std::vector<specs::Sha256> subjects;
  std::set<specs::Sha256> seen;
  auto add_subjects = [&](const ImageParts& some) {
    for (const layers::SourceDocument& document : some.documents) {
      if (seen.insert(document.descriptor.digest).second) {
        subjects.push_back(document.descriptor.digest);
      }
    }
  };
  add_subjects(parts);
  std::size_t copied = 0;
  for (std::size_t i = 0; i < subjects.size(); ++i) {
    const specs::Sha256 subject = subjects[i];
    const std::vector<Referrer> referrers = ListReferrers(from.registry(), subject);
    for (const Referrer& referrer : referrers) {
      if (++copied > kMostReferrers) throw Error("too many artifacts are attached to the image");
      RegistryOrigin origin(OpenForReading(session, request.from.reference, request.registry),
                            session.store(), referrer.descriptor.digest.Oci(), session.progress(),
                            {.down = &session.down_hosts()});
      const ImageParts artifact = layers::ReadParts(origin);
      target.CopyFrom(origin, artifact, {});
      add_subjects(artifact);
    }
    PublishReferrers(target.registry(), subject, referrers);
  }
  return copied;
}

void TellPushed(Session& session, const CopyRequest& request, const specs::Sha256& digest,
                const PushResult& result, std::size_t referrers) {
  std::string text = fmt::format("copied to {}\n  {}", request.to.Render(), digest.Oci());
  text += result.unchanged
              ? "\n  it was there already"
              : fmt::format("\n  {} sent, {} mounted, {} there before; {} over the network",
                            specs::Count(result.uploaded, "blob"), result.mounted, result.present,
                            specs::HumanBytes(result.bytes_sent));
  if (request.referrers == CopyReferrers::kYes) {
    text += fmt::format("\n  {} attached to it", specs::Count(referrers, "artifact"));
  }
  session.progress().Info(text);
}

void CopyToRegistry(Session& session, const CopyRequest& request) {
  RegistryTarget target(session, request);
  const FoundImage found = OpenImage(session, request.from, request.registry);
  const specs::Reference& reference = request.to.reference;
  const std::vector<std::string> tags = {reference.tag.empty() ? "latest" : reference.tag};
  if (found.registry != nullptr) {
    const ImageParts parts = layers::ReadParts(*found.origin, request.platform);
    const PushResult result = target.CopyFrom(*found.registry, parts, tags);
    const specs::Sha256 digest = target.digest();
    const std::size_t referrers =
        request.referrers == CopyReferrers::kYes
            ? CopyAllReferrers(session, request, *found.registry, target, parts)
            : 0;
    TellPushed(session, request, digest, result, referrers);
    return;
  }
  const PushResult result = target.Push(
      [&] {
        return Formed(request,
                      ReadForRegistry(session, request.from.kind, *found.origin, request.platform));
      },
      tags);
  TellPushed(session, request, target.digest(), result, 0);
}

void CopyToFile(Session& session, const CopyRequest& request) {
  CheckPlace(request.to);
  const FoundImage found = OpenImage(session, request.from, request.registry);
  const ImagePlace to = WithName(request.to, found);
  auto read = [&] { return Formed(request, layers::ReadImage(*found.origin, request.platform)); };
  ImageSource image = read();
  try {
    WriteImage(session, to, image);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kVerification || request.from.kind == PlaceKind::kOci) throw;
    // Damaged in the cache, and removed there: it is read anew, once.
    session.progress().Detail(fmt::format("{}; it is read again", error.message()));
    image = read();
    WriteImage(session, to, image);
  }
  std::string text = fmt::format("copied to {}\n  {}", to.Render(), image.root().digest.Oci());
  if (found.registry != nullptr) {
    const PullResult& result = found.registry->result();
    text += fmt::format("\n  {} fetched, {} there before; {} over the network",
                        specs::Count(result.fetched, "blob"), result.present,
                        specs::HumanBytes(result.bytes_received));
  }
  if (to.kind != PlaceKind::kDockerArchive && layers::HasDockerTypes(image)) {
    text +=
        "\n  its media types are docker's, which podman and skopeo do not find in a layout: "
        "--oci makes them OCI's";
  }
  session.progress().Info(text);
}

}  // namespace

void CopyImage(Session& session, const CopyRequest& request) {
  RequireSense(request);
  if (request.to.kind == PlaceKind::kRegistry) {
    CopyToRegistry(session, request);
  } else {
    CopyToFile(session, request);
  }
}

}  // namespace imgbuild::builder
