#include "builder/cli/summary.h"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "builder/assemble/image_config_maker.h"
#include "builder/engine/spec_plan.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

std::uint64_t CompressedSize(const layers::PlatformImage& image) {
  std::uint64_t size = 0;
  for (const specs::Descriptor& layer : image.manifest.layers) size += layer.size;
  return size;
}

// Our layers' names stand in the history: "imgbuild: base".
std::string LayerName(const layers::PlatformImage& image, std::size_t layer) {
  if (layer < image.base_layers) return "base image";
  const std::string& text = image.config.history[layer].created_by;
  const std::size_t colon = text.find(": ");
  return colon == std::string::npos ? text : text.substr(colon + 2);
}

std::string_view OriginOf(const MadeLayer& layer) {
  if (layer.made) return "built";
  if (layer.base) return "base";
  return layer.shared ? "shared" : "cached";
}

// "took 40 layers and 2 packages from registry.example/team/app:latest, 31 kB downloaded"
std::string RenderShared(const SharedUse& use) {
  std::vector<std::string> parts;
  const auto add = [&](std::size_t count, const char* what) {
    if (count > 0) parts.push_back(specs::Count(count, what));
  };
  if (use.images > 0) parts.push_back("the image");
  add(use.layers, "layer");
  add(use.packages, "package");
  add(use.listings, "listing");
  add(use.blobs, "blob");
  add(use.archives, "archive");
  return fmt::format("took {} from {}, {} downloaded",
                     parts.empty() ? "nothing" : specs::Join(parts, ", "), use.place,
                     specs::HumanBytes(use.bytes_received));
}

std::string RenderPlatform(const layers::PlatformImage& image, const BuiltPlatform* built) {
  std::string text =
      fmt::format("  {}: {} layers, {}\n", image.config.platform.Render(),
                  image.manifest.layers.size(), specs::HumanBytes(CompressedSize(image)));
  for (std::size_t i = 0; i < image.manifest.layers.size(); ++i) {
    const std::string_view from = built == nullptr ? "cached" : OriginOf(built->layers[i]);
    text += fmt::format("    {:<28} {:>8}  {}\n", LayerName(image, i),
                        specs::HumanBytes(image.manifest.layers[i].size), from);
  }
  return text;
}

// As a POSIX shell takes one word (XCU 2.2).
std::string ShellWord(std::string_view text) {
  constexpr std::string_view kPlain = "@%+=:,./-_";
  auto plain = [&](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || kPlain.find(c) != kPlain.npos;
  };
  if (!text.empty() && std::all_of(text.begin(), text.end(), plain)) return std::string(text);
  std::string word = "'";
  for (char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

// "-v $PWD:/work" with the folder left to the shell.
std::string RenderWord(std::string_view word) {
  constexpr std::string_view kHere = "$PWD:";
  if (!word.starts_with(kHere)) return ShellWord(word);
  return "\"$PWD\":" + ShellWord(word.substr(kHere.size()));
}

// What podman can run: a layout or archive, or what was pushed; "" where there is neither.
std::string ImageToRun(const BuildSummary& summary) {
  for (const Output& output : summary.outputs) {
    if (output.kind != OutputKind::kDockerArchive) return output.Render();
  }
  return summary.pushed.empty() ? "" : summary.pushed.front().target.Name();
}

bool WantsDriver(const layers::Image& image) {
  return std::ranges::any_of(image.platforms, [](const layers::PlatformImage& platform) {
    return WantsCudaDriver(platform.config);
  });
}

// As `imgbuild up` would with podman: ports on loopback, the current directory at the workdir, and
// the GPU where there is one.
std::string RunLine(const BuildSummary& summary) {
  RunPlan plan = PlanCommand(summary.loaded.spec);
  plan.image = ImageToRun(summary);
  if (plan.image.empty()) return "";
  plan.gpu = WantsDriver(summary.built.image);
  const char* with_gpu =
      plan.gpu && !summary.gpu ? " (where there is a GPU, with --device nvidia.com/gpu=all)" : "";
  plan.ports = PlanServices(summary.loaded.spec).ports;
  plan.folder = "$PWD";
  plan.uid = summary.uid;
  plan.gpu = plan.gpu && summary.gpu;
  plan.interactive = true;
  std::vector<std::string> words;
  for (const std::string& word :
       RunArguments({EngineKind::kPodman, "podman", summary.uid == 0}, plan)) {
    words.push_back(RenderWord(word));
  }
  return fmt::format("\nRun it{}:\n  {}\n", with_gpu, specs::Join(words, " "));
}

}  // namespace

std::string RenderSummary(const BuildSummary& summary) {
  const layers::Image& image = summary.built.image;
  std::string text;
  text += fmt::format("\n{} {}{}\n", summary.loaded.spec.image.name, summary.digest.Oci(),
                      summary.built.unchanged ? " (unchanged)"
                      : summary.built.shared  ? " (shared)"
                                              : "");
  for (std::size_t i = 0; i < image.platforms.size(); ++i) {
    const BuiltPlatform* built =
        summary.built.platforms.empty() ? nullptr : &summary.built.platforms[i];
    text += RenderPlatform(image.platforms[i], built);
  }
  for (const std::string& note : summary.notes) text += fmt::format("  {}\n", note);
  if (!summary.loaded.sources.overlay.empty()) {
    text += fmt::format("  with {}\n", summary.loaded.sources.overlay);
  }
  if (summary.resolved) text += fmt::format("  locked in {}\n", summary.lock_file);
  std::string times;
  for (const PhaseTime& phase : summary.phases) {
    times += fmt::format("{}{} {}", times.empty() ? "" : ", ", phase.name,
                         specs::HumanDuration(phase.milliseconds));
  }
  text += fmt::format("  took: {}\n", times);
  for (const SharedUse& use : summary.shared) text += fmt::format("  {}\n", RenderShared(use));
  for (const ExportResult& result : summary.exported) {
    if (!result.failure.empty()) continue;  // there was a warning
    text += fmt::format("  shared with {}: {} entries that it lacked, {} sent\n", result.place,
                        result.entries, specs::HumanBytes(result.bytes_sent));
  }
  for (const Output& output : summary.outputs) text += fmt::format("  wrote {}\n", output.Render());
  for (const Pushed& pushed : summary.pushed) {
    text += fmt::format("  {}\n", RenderPushed(pushed, summary.digest));
  }
  return text + RunLine(summary);
}

namespace {

nlohmann::ordered_json SharedJson(const std::vector<SharedUse>& uses) {
  auto list = nlohmann::ordered_json::array();
  for (const SharedUse& use : uses) {
    list.push_back({{"place", use.place},
                    {"images", use.images},
                    {"layers", use.layers},
                    {"packages", use.packages},
                    {"blobs", use.blobs},
                    {"archives", use.archives},
                    {"listings", use.listings},
                    {"bytes", use.bytes_received}});
  }
  return list;
}

nlohmann::ordered_json ExportedJson(const std::vector<ExportResult>& results) {
  auto list = nlohmann::ordered_json::array();
  for (const ExportResult& result : results) {
    list.push_back({{"place", result.place},
                    {"entries", result.entries},
                    {"blobs", result.blobs},
                    {"bytes", result.bytes_sent},
                    {"failure", result.failure}});
  }
  return list;
}

}  // namespace

std::string RenderSummaryJson(const BuildSummary& summary) {
  using Json = nlohmann::ordered_json;
  const layers::Image& image = summary.built.image;
  Json platforms = Json::array();
  for (std::size_t i = 0; i < image.platforms.size(); ++i) {
    const layers::PlatformImage& platform = image.platforms[i];
    Json layers = Json::array();
    for (std::size_t k = 0; k < platform.manifest.layers.size(); ++k) {
      const specs::Descriptor& layer = platform.manifest.layers[k];
      layers.push_back({{"name", LayerName(platform, k)},
                        {"digest", layer.digest.Oci()},
                        {"size", layer.size},
                        {"cached", summary.built.platforms.empty() ||
                                       !summary.built.platforms[i].layers[k].made}});
    }
    platforms.push_back({{"platform", platform.config.platform.Render()},
                         {"digest", platform.descriptor.digest.Oci()},
                         {"layers", std::move(layers)}});
  }
  Json outputs = Json::array();
  for (const Output& output : summary.outputs) outputs.push_back(output.Render());
  Json pushes = Json::array();
  for (const Pushed& pushed : summary.pushed) {
    pushes.push_back({{"repository", pushed.target.repository.Name()},
                      {"tags", pushed.target.tags},
                      {"unchanged", pushed.result.unchanged},
                      {"sent", pushed.result.uploaded},
                      {"mounted", pushed.result.mounted},
                      {"present", pushed.result.present},
                      {"bytes", pushed.result.bytes_sent}});
  }
  Json phases = Json::object();
  for (const PhaseTime& phase : summary.phases) phases[phase.name] = phase.milliseconds;
  const Json event = {{"event", "built"},
                      {"image", summary.loaded.spec.image.name},
                      {"digest", summary.digest.Oci()},
                      {"unchanged", summary.built.unchanged},
                      {"platforms", std::move(platforms)},
                      {"shared", SharedJson(summary.shared)},
                      {"exported", ExportedJson(summary.exported)},
                      {"outputs", std::move(outputs)},
                      {"pushed", std::move(pushes)},
                      {"notes", summary.notes},
                      {"milliseconds", std::move(phases)}};
  return event.dump();
}

}  // namespace imgbuild::builder
