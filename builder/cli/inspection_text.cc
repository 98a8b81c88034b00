#include <fmt/format.h>

#include "builder/cli/inspection.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

constexpr std::size_t kMostShown = 200;
constexpr std::size_t kMostCreatedBy = 60;

// One line of it: control characters, also those that begin with the bytes C2 80 to C2 9F, could
// write to the terminal what is not there.
std::string Shown(std::string_view text, std::size_t most = kMostShown) {
  std::string shown;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (shown.size() >= most && (c & 0xC0) != 0x80) return shown + "...";
    const bool c1 =
        c == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0;
    if (c1) ++i;
    if (c == '\n' || c == '\t') {
      shown += ' ';
    } else {
      shown += c < ' ' || c == 0x7F || c1 ? '?' : static_cast<char>(c);
    }
  }
  return shown;
}

class Table {
 public:
  void Line(std::string_view key, std::string_view value) {
    if (!value.empty()) text_ += fmt::format("  {:<12} {}\n", key, Shown(value));
  }
  // One under the other.
  void Lines(std::string_view key, const std::vector<std::string>& values) {
    for (const std::string& value : values) Line(std::exchange(key, ""), value);
  }
  void Lines(std::string_view key, const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) Line(std::exchange(key, ""), name + "=" + value);
  }
  void Raw(std::string_view line) { text_ += fmt::format("{}\n", line); }
  std::string Take() { return std::move(text_); }

 private:
  std::string text_;
};

// As a shell would take it apart, nearly.
std::string Words(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) {
    const bool plain = !word.empty() && word.find_first_of(" \t\n\"'\\$") == std::string::npos;
    text += (text.empty() ? "" : " ") + (plain ? word : "\"" + word + "\"");
  }
  return text;
}

void AddConfig(Table& table, const specs::ForeignConfig& config) {
  table.Line("created", config.created);
  table.Line("author", config.author);
  table.Line("user", config.user);
  table.Line("entrypoint", Words(config.entrypoint));
  table.Line("command", Words(config.command));
  table.Line("workdir", config.workdir);
  table.Line("ports", specs::Join(config.exposed_ports, ", "));
  table.Lines("volumes", config.volumes);
  table.Line("stop signal", config.stop_signal);
  table.Lines("env", config.env);
  table.Lines("labels", config.labels);
}

// The end of a media type tells the compression: "tar+zstd".
std::string FormOf(const std::string& media_type) {
  const std::size_t dot = media_type.rfind('.');
  return media_type.starts_with("application/vnd.") && dot != std::string::npos
             ? media_type.substr(dot + 1)
             : media_type;
}

void AddManifest(Table& table, const InspectedManifest& manifest) {
  const std::string title =
      !manifest.platform.empty() ? manifest.platform
      : !manifest.artifact_type.empty()
          ? manifest.artifact_type
          : (manifest.config_link ? manifest.config_link->descriptor.media_type : "artifact");
  table.Raw("");
  table.Raw(Shown(title));
  table.Line("digest", manifest.descriptor.digest.Oci());
  table.Line("size", fmt::format("{} in {}", specs::HumanBytes(manifest.Size()),
                                 specs::Count(manifest.layers.size(), "layer")));
  if (manifest.config) AddConfig(table, *manifest.config);
  table.Lines("annotations", manifest.annotations);
  for (const InspectedLayer& layer : manifest.layers) {
    const specs::Descriptor& blob = layer.link.descriptor;
    table.Raw(fmt::format("  {:>12} {} {:<8} {}", specs::HumanBytes(blob.size),
                          blob.digest.Oci().substr(0, 19), Shown(FormOf(blob.media_type), 30),
                          Shown(layer.created_by, kMostCreatedBy)));
  }
}

}  // namespace

std::string RenderInspection(const Inspection& inspection) {
  Table table;
  table.Raw(Shown(inspection.name));
  table.Line("digest", inspection.root.digest.Oci());
  table.Line("type", inspection.root.media_type);
  table.Lines("annotations", inspection.annotations);
  for (const InspectedManifest& manifest : inspection.manifests) AddManifest(table, manifest);
  if (inspection.referrers) {
    table.Raw("");
    table.Raw(inspection.referrers->empty() ? "nothing is attached to it" : "attached to it");
    for (const Referrer& referrer : *inspection.referrers) {
      table.Raw(fmt::format("  {:>12} {} {}", specs::HumanBytes(referrer.descriptor.size),
                            referrer.descriptor.digest.Oci(), Shown(referrer.artifact_type)));
      table.Lines("", referrer.descriptor.annotations);
    }
  }
  return table.Take();
}

}  // namespace imgbuild::builder
