#include "specs/env/preset_file.h"

#include <algorithm>
#include <functional>

#include <fmt/core.h>

#include "specs/base/error.h"

namespace imgbuild::specs {
namespace {

using Kind = TomlValue::Kind;

class Reader {
 public:
  explicit Reader(const PresetFile& file) : file_(file) {}

  ServicePreset Read() {
    auto parsed = ParseToml(file_.text, file_.name);
    if (auto* problem = std::get_if<Problem>(&parsed)) throw Error(problem->Render());
    const auto& document = std::get<TomlValue>(parsed);
    preset_.name = file_.name;
    preset_.text = file_.text;
    for (const TomlEntry& entry : document.entries) ReadEntry(entry.key, entry.value);
    const TomlValue* command = preset_.service.Find("command");
    const TomlValue* port = preset_.service.Find("port");
    if (preset_.runs.empty() || command == nullptr || port == nullptr)
      Fail("has no port or command");
    (void)Texts(*command);
    Require(*port, Kind::kInteger);
    preset_.port = static_cast<std::uint32_t>(port->integer);
    return std::move(preset_);
  }

 private:
  void ReadEntry(std::string_view key, const TomlValue& value) {
    if (key == "runs") {
      preset_.runs = Text(value);
    } else if (key == "needs") {
      Require(value, Kind::kArray);
      for (const TomlValue& ways : value.items) preset_.needs.push_back(Texts(ways));
    } else if (key == "needs-file") {
      preset_.needs_file = Text(value);
    } else if (key == "app") {
      const std::string app = Text(value);
      if (app != "module" && app != "file") Fail("app is neither \"module\" nor \"file\"");
      preset_.app = app == "module" ? ServicePreset::App::kModule : ServicePreset::App::kFile;
    } else if (key == "page") {
      Require(value, Kind::kBoolean);
      preset_.has_page = value.boolean;
    } else if (key == "options") {
      Require(value, Kind::kTable);
      for (const TomlEntry& entry : value.entries) ReadOption(entry);
    } else if (key == "provides") {
      preset_.provides = Map(value);
    } else if (key == "watch") {
      preset_.watch = Map(value);
    } else if (key == "files") {
      preset_.files = Map(value);
    } else if (key == "service") {
      Require(value, Kind::kTable);
      preset_.service = value;
    } else {
      Fail(fmt::format("has an unknown key \"{}\"", key));
    }
  }

  void ReadOption(const TomlEntry& entry) {
    Require(entry.value, Kind::kTable);
    PresetOption option{.key = entry.key, .arguments = {}, .env = {}, .replaces = {}};
    for (const TomlEntry& part : entry.value.entries) {
      if (part.key == "arguments") {
        option.arguments = Texts(part.value);
      } else if (part.key == "env") {
        option.env = Map(part.value);
      } else if (part.key == "replaces") {
        option.replaces = Texts(part.value);
      } else {
        Fail(fmt::format("has an unknown key \"{}\" in an option", part.key));
      }
    }
    preset_.options.push_back(std::move(option));
  }

  [[noreturn]] void Fail(std::string_view why) const {
    throw Error(fmt::format("the preset {} {}", file_.name, why));
  }

  void Require(const TomlValue& value, Kind kind) const {
    if (value.kind != kind)
      Fail(fmt::format("has {} for {}", TomlKindName(value.kind), TomlKindName(kind)));
  }

  std::string Text(const TomlValue& value) const {
    Require(value, Kind::kString);
    return value.text;
  }

  std::vector<std::string> Texts(const TomlValue& value) const {
    Require(value, Kind::kArray);
    std::vector<std::string> texts;
    for (const TomlValue& item : value.items) texts.push_back(Text(item));
    return texts;
  }

  std::map<std::string, std::string> Map(const TomlValue& value) const {
    Require(value, Kind::kTable);
    std::map<std::string, std::string> map;
    for (const TomlEntry& entry : value.entries) map[entry.key] = Text(entry.value);
    return map;
  }

  const PresetFile& file_;
  ServicePreset preset_;
};

}  // namespace

ServicePreset ReadPreset(const PresetFile& file) { return Reader(file).Read(); }

}  // namespace imgbuild::specs
