#include "builder/assemble/build_image.h"

#include <algorithm>

#include <fmt/core.h>

#include "builder/assemble/embedded.h"
#include "builder/assemble/image_files.h"
#include "builder/assemble/package_maker.h"
#include "builder/assemble/platform_build.h"
#include "builder/assemble/pyc_memo.h"
#include "builder/assemble/pyc_worker.h"
#include "builder/assemble/recipe_annotations.h"
#include "builder/plan/layer_plan.h"
#include "builder/state/state.h"
#include "layers/io/file.h"
#include "layers/unpack/deb.h"
#include "layers/unpack/wheel.h"
#include "layers/write/tar.h"
#include "specs/base/error.h"
#include "specs/base/key.h"
#include "specs/base/text.h"
#include "specs/env/canonical.h"
#include "specs/env/cuda.h"
#include "specs/env/preset.h"

namespace imgbuild::builder {
namespace {

UserContent ReadUserContent(const specs::Spec& spec) {
  UserContent user;
  for (const specs::FilesEntry& entry : spec.files) user.files.push_back(ReadAppFiles(entry));
  for (const std::string& path : spec.system.certificates) {
    user.certificates.push_back(layers::ReadFile(path, 16u << 20));
  }
  return user;
}

// Everything that decides the image.
specs::Sha256 ImageKey(const BuildRequest& request, const UserContent& user,
                       const layers::Codec& codec) {
  specs::KeyBuilder key("image/9");
  key.Add("package", kPackageVersion).Add("pyc", kPycVersion);
  key.Add("plan", kPlanVersion).Add("layer", kLayerVersion);
  key.Add("tar", layers::kTarVersion).Add("deb", layers::kDebVersion);
  key.Add("wheel", layers::kWheelVersion).Add("state", kStateVersion).Add("codec", codec.id());
  key.Add("spec", specs::SpecDigest(request.loaded.spec, request.loaded.sources.folder));
  key.Add("lock", specs::RenderLock(request.lock));
  for (specs::Architecture architecture :
       {specs::Architecture::kAmd64, specs::Architecture::kArm64}) {
    key.Add("supervisor", SupervisorProgram(architecture));
  }
  for (const EmbeddedFile& file : PageFiles()) key.Add(file.name, file.content);
  for (const specs::Service& service : request.loaded.spec.services) {
    const specs::ServicePreset* preset = specs::FindPreset(service.preset);
    if (preset == nullptr) continue;
    for (const auto& [path, text] : preset->files) key.Add("preset", path).Add("text", text);
  }
  for (const AppFiles& files : user.files) key.Add("files", files.digest);
  for (const std::string& pem : user.certificates) key.Add("certificate", pem);
  return key.Finish();
}

// "DIGEST SIZE MEDIATYPE", then for each platform a line: how many layers are a base image's, and
// the plain sizes of all.
std::string RenderResult(const layers::Image& image) {
  std::string text =
      fmt::format("{} {} {}\n", image.root.digest.Hex(), image.root.size, image.root.media_type);
  for (const layers::PlatformImage& platform : image.platforms) {
    text += std::to_string(platform.base_layers);
    for (std::uint64_t size : platform.plain_sizes) text += fmt::format(" {}", size);
    text += '\n';
  }
  return text;
}

std::optional<layers::Image> FindResult(const layers::Store& store, const specs::Sha256& key) {
  const std::optional<std::string> text = store.FindAction(key);
  if (!text) return std::nullopt;
  std::vector<std::string_view> lines = specs::Split(*text, '\n');
  const std::vector<std::string_view> head = specs::SplitWords(lines[0]);
  if (head.size() != 3) return std::nullopt;
  const auto digest = specs::Sha256::Parse(head[0]);
  const auto size = specs::ParseUnsigned(head[1]);
  if (!digest || !size) return std::nullopt;
  std::vector<layers::PlatformRecord> records;
  for (std::size_t i = 1; i + 1 < lines.size(); ++i) {
    layers::PlatformRecord& record = records.emplace_back();
    const std::vector<std::string_view> words = specs::SplitWords(lines[i]);
    for (std::string_view word : words) {
      record.plain_sizes.push_back(specs::ParseUnsigned(word).value_or(0));
    }
    if (words.empty()) return std::nullopt;
    record.base_layers = static_cast<std::size_t>(record.plain_sizes.front());
    record.plain_sizes.erase(record.plain_sizes.begin());
  }
  specs::Descriptor root{.media_type = std::string(head[2]),
                         .digest = *digest,
                         .size = *size,
                         .platform = {},
                         .annotations = {}};
  auto image = layers::FindImage(store, root, records);
  if (image && image->platforms.size() == 1 && image->root.digest == root.digest) {
    image->platforms[0].descriptor.platform = image->platforms[0].config.platform;
    image->root = image->platforms[0].descriptor;
  }
  return image;
}

// Which key the image is found by, elsewhere too.
Annotations WithKey(Annotations annotations, const specs::Sha256& key) {
  annotations[kImageKeyAnnotation] = key.Hex();
  return annotations;
}

// Of one platform's manifest: a single one is the image itself.
Annotations ManifestAnnotations(const specs::Spec& spec, const specs::Sha256& key) {
  if (spec.image.platforms.size() > 1) return spec.image.annotations;
  return WithKey(spec.image.annotations, key);
}

// Has the lowest layers be those of the base as it is locked, where they are. Which ones are the
// base's, no manifest says.
bool LayOnBase(const layers::BaseImage& base, SharedPlatform& platform) {
  const std::size_t count = base.layers.size();
  if (platform.layers.size() < count || platform.without_recipe > count) return false;
  for (std::size_t i = 0; i < count; ++i) {
    const layers::ImageLayer& layer = base.layers[i];
    if (layer.descriptor.digest != platform.layers[i].descriptor.digest ||
        layer.diff_id != platform.layers[i].diff_id) {
      return false;
    }
    platform.layers[i] = layer;
  }
  return true;
}

// Null where the spec builds on Debian packages.
const layers::BaseImage* BaseFor(const specs::Platform& platform, BuildContext context) {
  return context.base != nullptr ? &context.base->Outline(platform) : nullptr;
}

// As others made it. The documents are written anew: theirs may have had annotations of their own.
std::optional<layers::Image> TakeShared(const BuildRequest& request, const specs::Sha256& key,
                                        BuildContext context) {
  const specs::Spec& spec = request.loaded.spec;
  if (context.shared == nullptr) return std::nullopt;
  auto shared = context.shared->FindImage(key);
  const auto same = [](const SharedPlatform& platform, const specs::Platform& wanted) {
    return platform.config.platform == wanted;
  };
  if (!shared || !std::ranges::equal(*shared, spec.image.platforms, same)) return std::nullopt;
  for (SharedPlatform& platform : *shared) {
    const layers::BaseImage* base = BaseFor(platform.config.platform, context);
    if (base != nullptr ? !LayOnBase(*base, platform) : platform.without_recipe > 0) {
      return std::nullopt;
    }
  }
  std::vector<layers::PlatformImage> platforms;
  for (SharedPlatform& platform : *shared) {
    const layers::BaseImage* base = BaseFor(platform.config.platform, context);
    platform.config.diff_ids.clear();
    platform.config.history.clear();
    const Annotations annotations = ManifestAnnotations(spec, key);
    layers::PlatformImage& published = platforms.emplace_back(layers::PublishPlatform(
        context.store, std::move(platform.config), platform.layers,
        base != nullptr ? WithBase(annotations, *request.lock.base) : annotations));
    if (base != nullptr) published.base_layers = base->layers.size();
    if (!context.layer_listener) continue;
    for (const layers::ImageLayer& layer : platform.layers) context.layer_listener(layer);
  }
  return layers::PublishImage(context.store, std::move(platforms),
                              WithKey(spec.image.annotations, key));
}

specs::LockedPlatform InForce(const BuildRequest& request, const specs::Platform& platform) {
  return specs::PackagesInForce(request.loaded.spec.cuda, specs::LockedFor(request.lock, platform));
}

// Packages of all platforms before the first layer: a wrong one leaves nothing half made. Then each
// platform by itself; packages and layers they share are found in the store.
BuiltImage BuildPlatforms(const BuildRequest& request, const UserContent& user,
                          const layers::Codec& codec, const specs::Sha256& key,
                          BuildContext context) {
  const specs::Spec& spec = request.loaded.spec;
  std::vector<specs::LockedPlatform> locked;
  for (const specs::Platform& platform : spec.image.platforms) {
    locked.push_back(InForce(request, platform));
  }
  auto for_each = [&](auto&& action) {
    for (const specs::LockedPlatform& each : locked) {
      specs::WithContext(fmt::format("while building for {}", each.platform.Render()),
                         [&] { action(each); });
    }
  };
  if (locked.size() > 1) {
    PycMemo memo(context.store);
    for_each([&](const auto& each) { PreparePlatform(request, each, codec, memo, context); });
  }

  BuiltImage built{.image = {}, .key = key, .platforms = {}};
  std::vector<layers::PlatformImage> platforms;
  for_each([&](const auto& each) {
    PlatformResult result =
        BuildPlatform(request, each, user, codec, ManifestAnnotations(spec, key), context);
    platforms.push_back(std::move(result.image));
    built.platforms.push_back(std::move(result.built));
  });
  built.image = layers::PublishImage(context.store, std::move(platforms),
                                     WithKey(spec.image.annotations, key));
  return built;
}

// Of the base's layers; none where it cannot be looked at, as then nothing of it was read here.
std::vector<specs::Sha256> ListingKeys(const specs::Platform& platform, BuildContext context) {
  std::vector<specs::Sha256> keys;
  if (context.base == nullptr) return keys;
  try {
    for (const layers::ImageLayer& layer : context.base->Outline(platform).layers) {
      keys.push_back(layers::ListingKey(layer.descriptor.digest, layer.diff_id));
    }
  } catch (const specs::Error&) {
  }
  return keys;
}

}  // namespace

BuildInputs InputsOf(const BuildRequest& request, BuildContext context) {
  const std::unique_ptr<const layers::Codec> codec = layers::MakeCodec(request.compression);
  BuildInputs inputs{.codec = codec->id(), .packages = {}, .archives = {}, .listings = {}};
  const auto add_archives = [&](const std::vector<specs::LockedPackage>& packages) {
    for (const specs::LockedPackage& package : packages) inputs.archives.push_back(package.sha256);
  };
  for (const specs::Platform& platform : request.loaded.spec.image.platforms) {
    const specs::LockedPlatform locked = InForce(request, platform);
    const std::vector<specs::Sha256> keys = PackageKeys(request, locked, *codec, context);
    inputs.packages.insert(inputs.packages.end(), keys.begin(), keys.end());
    add_archives(locked.packages);
    const std::vector<specs::Sha256> listings = ListingKeys(platform, context);
    inputs.listings.insert(inputs.listings.end(), listings.begin(), listings.end());
  }
  for (const specs::LockedCompiler& compiler : request.lock.compilers) {
    add_archives(compiler.packages);
  }
  for (const specs::ArtifactEntry& artifact : request.loaded.spec.artifacts) {
    inputs.archives.push_back(artifact.sha256);
  }
  for (std::vector<specs::Sha256>* list : {&inputs.packages, &inputs.archives, &inputs.listings}) {
    std::ranges::sort(*list);
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  return inputs;
}

BuildPreview PreviewImage(const BuildRequest& request, BuildContext context) {
  const specs::Spec& spec = request.loaded.spec;
  const std::unique_ptr<const layers::Codec> codec = layers::MakeCodec(request.compression);
  const UserContent user = ReadUserContent(spec);
  BuildPreview preview;
  preview.unchanged = FindResult(context.store, ImageKey(request, user, *codec)).has_value();
  for (const specs::Platform& platform : spec.image.platforms) {
    const specs::LockedPlatform locked = InForce(request, platform);
    preview.platforms.push_back(PreviewPlatform(request, locked, user, *codec, context));
  }
  return preview;
}

std::optional<layers::Image> FindBuiltImage(const BuildRequest& request,
                                            const layers::Store& store) {
  const std::unique_ptr<const layers::Codec> codec = layers::MakeCodec(request.compression);
  return FindResult(store, ImageKey(request, ReadUserContent(request.loaded.spec), *codec));
}

BuiltImage BuildImage(const BuildRequest& request, BuildContext context) {
  const specs::Spec& spec = request.loaded.spec;

  // An image of the same key was built before: nothing more to do.
  const std::unique_ptr<const layers::Codec> codec = layers::MakeCodec(request.compression);
  const UserContent user = ReadUserContent(spec);
  const specs::Sha256 key = ImageKey(request, user, *codec);
  if (auto found = FindResult(context.store, key)) {
    return {.image = *std::move(found), .key = key, .platforms = {}, .unchanged = true};
  }
  if (auto taken = TakeShared(request, key, context)) {
    context.store.PutAction(key, RenderResult(*taken));
    return {.image = *std::move(taken), .key = key, .platforms = {}, .shared = true};
  }

  BuiltImage built;
  try {
    built = BuildPlatforms(request, user, *codec, key, context);
  } catch (const specs::Error&) {
    if (!context.compiler_trust.Refused()) throw;
    context.progress.Info(
        "the Python in the lock that compiles .pyc files is in no signed package list: it runs "
        "confined");
    built = BuildPlatforms(request, user, *codec, key, context);
  }
  context.store.PutAction(key, RenderResult(built.image));
  return built;
}

}  // namespace imgbuild::builder
