// The rules are those of matplotlib's font_manager.py: ttfFontProperty, afmFontProperty and, since
// 3.11, _get_font_alt_names. matplotlib raises FontManager.__version__ whenever form or rules
// change and reads no list of another version, so that a version that is not in kForms costs the
// time that the list would have saved, and nothing else.
#include "layers/unpack/font_list.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "layers/unpack/sfnt.h"
#include "specs/base/text.h"

namespace imgbuild::layers {
namespace {

using Json = nlohmann::ordered_json;

struct Form {
  std::string_view version;
  bool number;          // the version is one in JSON
  bool faces;           // entries have an index
  bool other_families;  // names beside FreeType's have entries of their own
};

constexpr std::array kForms = {
    Form{"390", true, false, false},    // matplotlib 3.9 and 3.10
    Form{"3.11.0", false, true, true},  // matplotlib 3.11
};

struct Entry {
  std::string file, name, style = "normal", variant = "normal", stretch = "normal";
  Json weight;
};

bool HasAny(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::ranges::any_of(
      words, [&](std::string_view word) { return text.find(word) != std::string_view::npos; });
}

std::string VariantOf(const std::string& name) {
  const std::string lower = specs::ToLower(name);
  return lower == "capitals" || lower == "small-caps" ? "small-caps" : "normal";
}

// UTF-16BE as UTF-8; of names beyond the basic plane nothing is left.
std::string Utf16(std::string_view bytes) {
  std::string text;
  for (std::size_t at = 0; at + 2 <= bytes.size(); at += 2) {
    const unsigned code = static_cast<unsigned>(static_cast<unsigned char>(bytes[at])) << 8 |
                          static_cast<unsigned char>(bytes[at + 1]);
    if (code < 0x80) {
      text += static_cast<char>(code);
    } else if (code < 0x800) {
      text += {static_cast<char>(0xc0 | code >> 6), static_cast<char>(0x80 | (code & 0x3f))};
    } else {
      text += {static_cast<char>(0xe0 | code >> 12), static_cast<char>(0x80 | (code >> 6 & 0x3f)),
               static_cast<char>(0x80 | (code & 0x3f))};
    }
  }
  return text;
}

std::string Latin1(std::string_view bytes) {
  std::string wide;
  for (char byte : bytes) wide += {'\0', byte};
  return Utf16(wide);
}

class Names {
 public:
  explicit Names(const SfntFont& font) : font_(font) {}

  std::string Macintosh(std::uint16_t id) const { return Latin1(Raw({1, 0, 0, id})); }
  std::string Microsoft(std::uint16_t id) const { return Utf16(Raw({3, 1, 0x0409, id})); }
  std::string Lower(std::uint16_t id) const {
    const std::string name = Macintosh(id);
    return specs::ToLower(name.empty() ? Microsoft(id) : name);
  }

 private:
  std::string_view Raw(const SfntNameKey& key) const {
    const auto found = font_.names.find(key);
    return found == font_.names.end() ? std::string_view() : found->second;
  }

  const SfntFont& font_;
};

bool IsWordCharacter(char character) {
  return (character >= 'a' && character <= 'z') || (character >= '0' && character <= '9') ||
         character == '_';
}

// fontconfig's words for weights; the first that a name has in it counts.
int WeightOfStyle(std::string style) {
  struct Word {
    std::string_view text;
    int weight;
    bool begins = false;  // only at the beginning of a word
  };
  constexpr auto kWords = std::to_array<Word>({
      {"thin", 100},         {"extralight", 200},  {"ultralight", 200},  {"demilight", 350},
      {"semilight", 350},    {"light", 300},       {"book", 380},        {"regular", 400},
      {"normal", 400},       {"medium", 500},      {"demibold", 600},    {"demi", 600},
      {"semibold", 600},     {"extrabold", 800},   {"superbold", 800},   {"ultrabold", 800},
      {"bold", 700},         {"ultrablack", 1000}, {"superblack", 1000}, {"extrablack", 1000},
      {"ultra", 1000, true}, {"black", 900},       {"heavy", 900},
  });
  style = specs::ToLower(style);
  std::erase(style, ' ');
  for (const Word& word : kWords) {
    const std::size_t at = style.find(word.text);
    if (at == std::string::npos) continue;
    if (word.begins && at > 0 && IsWordCharacter(style[at - 1])) continue;
    return word.weight;
  }
  return 400;
}

Entry TrueTypeEntry(const std::string& file, const SfntFont& font) {
  const Names names(font);
  const std::string subfamily = names.Lower(2), full = names.Lower(4);
  Entry entry{.file = file, .name = font.family};
  entry.variant = VariantOf(font.family);
  if (HasAny(full, {"oblique"})) {
    entry.style = "oblique";
  } else if (HasAny(full, {"italic"}) || (!HasAny(subfamily, {"regular"}) && font.italic)) {
    entry.style = "italic";
  }
  entry.weight = font.weight;
  if (HasAny(full, {"narrow", "cond"})) {
    entry.stretch = "condensed";
  } else if (HasAny(full, {"wide", "expanded", "extended"})) {
    entry.stretch = "expanded";
  }
  return entry;
}

void AddOtherFamilies(const Entry& entry, const SfntFont& font, std::vector<Entry>& entries) {
  const Names names(font);
  std::set<std::string> seen = {entry.name};
  const auto add = [&](const std::string& family, const std::string& subfamily) {
    const std::string name(specs::Trim(family));
    if (name.empty() || !seen.insert(name).second) return;
    Entry& other = entries.emplace_back(entry);
    other.name = name;
    other.weight = WeightOfStyle(subfamily);
  };
  for (const auto& [family, subfamily] : {std::pair{1, 2}, {16, 17}, {21, 22}}) {
    const auto id = static_cast<std::uint16_t>(family), sub = static_cast<std::uint16_t>(subfamily);
    add(names.Macintosh(id), names.Macintosh(sub));
    add(names.Microsoft(id), names.Microsoft(sub));
  }
}

// Adobe Font Metrics 4.1, "Global Font Information".
std::optional<Entry> MetricsEntry(const std::string& file, std::string_view text) {
  std::map<std::string, std::string, std::less<>> header;
  for (std::string_view line : specs::Split(text, '\n')) {
    line = specs::Trim(line);
    if (line.starts_with("StartCharMetrics")) break;
    const std::size_t space = line.find(' ');
    if (space == std::string_view::npos) continue;
    header.emplace(line.substr(0, space), specs::Trim(line.substr(space + 1)));
  }
  for (const char* key : {"FamilyName", "FontName", "Weight", "ItalicAngle"}) {
    if (!header.contains(key)) return std::nullopt;
  }
  Entry entry{.file = file, .name = header["FamilyName"]};
  const std::string family = specs::ToLower(entry.name), font = specs::ToLower(header["FontName"]);
  entry.variant = VariantOf(entry.name);
  if (header["ItalicAngle"].find_first_of("123456789") != std::string::npos ||
      HasAny(family, {"italic"})) {
    entry.style = "italic";
  } else if (HasAny(family, {"oblique"})) {
    entry.style = "oblique";
  }
  static const std::set<std::string, std::less<>> kWeights = {
      "ultralight", "light",    "normal", "regular", "book",  "medium",     "roman",
      "semibold",   "demibold", "demi",   "bold",    "heavy", "extra bold", "black"};
  const std::string weight = specs::ToLower(header["Weight"]);
  entry.weight = kWeights.contains(weight) ? weight : "normal";
  if (HasAny(font, {"demi cond"})) {
    entry.stretch = "semi-condensed";
  } else if (HasAny(font, {"narrow", "cond"})) {
    entry.stretch = "condensed";
  } else if (HasAny(font, {"wide", "expanded", "extended"})) {
    entry.stretch = "expanded";
  }
  return entry;
}

Json Render(const std::vector<Entry>& entries, const Form& form) {
  Json list = Json::array();
  for (const Entry& entry : entries) {
    Json item = {{"fname", entry.file}};
    if (form.faces) item["index"] = 0;
    item["name"] = entry.name;
    item["style"] = entry.style;
    item["variant"] = entry.variant;
    item["weight"] = entry.weight;
    item["stretch"] = entry.stretch;
    item["size"] = "scalable";
    item["__class__"] = "FontEntry";
    list.push_back(std::move(item));
  }
  return list;
}

const Form* FormOf(std::string_view font_manager) {
  constexpr std::string_view kKey = "\n    __version__ = ";
  const std::size_t at = font_manager.find(kKey);
  if (at == std::string_view::npos) return nullptr;
  std::string_view value = font_manager.substr(at + kKey.size());
  value = value.substr(0, value.find('\n'));
  const bool quoted = value.size() > 1 && (value[0] == '\'' || value[0] == '"');
  if (quoted) value = value.substr(1, value.size() - 2);
  const auto form = std::ranges::find(kForms, value, &Form::version);
  return form != kForms.end() && form->number != quoted ? &*form : nullptr;
}

}  // namespace

bool IsListedFont(std::string_view name) {
  const bool listed = name.starts_with("fonts/ttf/") || name.starts_with("fonts/afm/") ||
                      name.starts_with("fonts/pdfcorefonts/");
  return listed && (name.ends_with(".ttf") || name.ends_with(".otf") || name.ends_with(".ttc") ||
                    name.ends_with(".afm"));
}

std::optional<FontList> MakeFontList(std::string_view font_manager,
                                     const std::vector<FontFile>& fonts) {
  const Form* form = FormOf(font_manager);
  if (form == nullptr || fonts.empty()) return std::nullopt;
  std::vector<Entry> metrics, outlines;
  for (const FontFile& font : fonts) {
    if (font.name.ends_with(".afm")) {
      std::optional<Entry> entry = MetricsEntry(font.name, font.content);
      if (!entry) return std::nullopt;
      metrics.push_back(*std::move(entry));
      continue;
    }
    const std::optional<SfntFont> sfnt = ReadSfnt(font.content);
    if (!sfnt || sfnt->family.empty()) return std::nullopt;
    const Entry entry = TrueTypeEntry(font.name, *sfnt);
    outlines.push_back(entry);
    if (form->other_families) AddOtherFamilies(entry, *sfnt, outlines);
  }
  std::ranges::stable_sort(metrics, {}, &Entry::file);
  std::ranges::stable_sort(outlines, {}, &Entry::file);
  Json list;
  if (form->number) {
    list["_version"] = std::stoi(std::string(form->version));
  } else {
    list["_version"] = form->version;
  }
  list["_FontManager__default_weight"] = "normal";
  list["default_size"] = nullptr;
  list["defaultFamily"] = {{"ttf", "DejaVu Sans"}, {"afm", "Helvetica"}};
  list["afmlist"] = Render(metrics, *form);
  list["ttflist"] = Render(outlines, *form);
  list["__class__"] = "FontManager";
  return FontList{"fontlist-v" + std::string(form->version) + ".json",
                  list.dump(1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

}  // namespace imgbuild::layers
