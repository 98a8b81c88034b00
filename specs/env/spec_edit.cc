#include "specs/env/spec_edit.h"

#include <algorithm>
#include <functional>

#include <fmt/core.h>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/toml.h"
#include "specs/env/array_text.h"
#include "specs/env/loader.h"
#include "specs/python/name.h"
#include "specs/python/requirement.h"

namespace imgbuild::specs {
namespace {

using Kind = TomlValue::Kind;

Error CannotEdit(std::string_view file, std::string_view why) {
  return Error(ErrorKind::kUsage, fmt::format("{} cannot be edited by this program", file))
      .Found(std::string(why))
      .Hint("write it by hand, then: imgbuild lock");
}

// What two entries of a list are compared by; "" for what has no name, or only sometimes counts.
std::string NameOf(const PackageList& list, std::string_view package) {
  if (list.kind == PackageList::Kind::kSystem) {
    return std::string(Trim(package.substr(0, package.find_first_of("=( "))));
  }
  if (IsLocalWheel(package)) return std::string(package);
  const auto parsed = Requirement::Parse(package);
  const auto* requirement = std::get_if<Requirement>(&parsed);
  if (requirement == nullptr || requirement->marker) return "";
  return NormalizeName(requirement->name);
}

void RequirePackage(const PackageList& list, const std::string& package) {
  if (list.kind == PackageList::Kind::kSystem) {
    const bool plain = !package.empty() && package.find_first_of(" \t\n\"'") == std::string::npos;
    if (plain) return;
    throw Error(ErrorKind::kUsage, fmt::format("\"{}\" is no Debian package", package))
        .Expected("name or name=version");
  }
  if (IsLocalWheel(package)) return;
  const auto parsed = Requirement::Parse(package);
  if (std::holds_alternative<Requirement>(parsed)) return;
  throw Error(ErrorKind::kUsage, fmt::format("\"{}\" is no requirement", package))
      .Expected("name, name[extra] or name>=1.2 as PEP 508 has it, or the path of a wheel");
}

// [[python.layers]] of a document; null where it has none.
TomlValue* LayersOf(TomlValue& document) {
  TomlValue* python = document.Find("python");
  TomlValue* layers = python == nullptr ? nullptr : python->Find("layers");
  if (layers != nullptr && layers->kind == Kind::kTable) layers = layers->Find("append");
  return layers;
}

bool IsNamed(const TomlValue& layer, std::string_view name) {
  const TomlValue* own = layer.Find("name");
  return own != nullptr && own->kind == Kind::kString && own->text == name;
}

// The list as it stands in a document: an array, a string, or null.
TomlValue* Find(TomlValue& document, const PackageList& list) {
  TomlValue* table = document.Find(list.kind == PackageList::Kind::kSystem ? "system" : "python");
  if (list.kind == PackageList::Kind::kLayer) {
    TomlValue* layers = LayersOf(document);
    table = nullptr;
    for (std::size_t i = 0; layers != nullptr && i < layers->items.size(); ++i) {
      if (IsNamed(layers->items[i], list.layer)) table = &layers->items[i];
    }
  }
  if (table == nullptr) return nullptr;
  TomlValue* packages = table->Find("packages");
  if (packages != nullptr && packages->kind == Kind::kTable) packages = packages->Find("append");
  return packages;
}

std::vector<std::string> Texts(const TomlValue* list) {
  std::vector<std::string> texts;
  if (list == nullptr) return texts;
  if (list->kind == Kind::kString) return {list->text};
  for (const TomlValue& item : list->items) texts.push_back(item.text);
  return texts;
}

// Equal but for where they stand, and for the order of keys.
bool Same(const TomlValue& a, const TomlValue& b) {
  if (a.kind != b.kind || a.text != b.text || a.integer != b.integer || a.number != b.number ||
      a.boolean != b.boolean || a.entries.size() != b.entries.size()) {
    return false;
  }
  return std::ranges::equal(a.items, b.items, Same) &&
         std::ranges::all_of(a.entries, [&](const TomlEntry& entry) {
           const TomlValue* other = b.Find(entry.key);
           return other != nullptr && Same(entry.value, *other);
         });
}

class Editor {
 public:
  Editor(std::string_view text, std::string_view file) : text_(text), file_(file) {
    auto parsed = ParseToml(text_, file_);
    if (auto* problem = std::get_if<Problem>(&parsed)) {
      throw Error(ErrorKind::kUsage, problem->Render());
    }
    document_ = std::get<TomlValue>(std::move(parsed));
  }

  const std::string& text() const { return text_; }

  std::vector<std::string> PackagesOf(const PackageList& list) {
    return Texts(Find(document_, list));
  }

  // Those of [python], or of [system], in order.
  std::vector<PackageList> ListsLike(const PackageList& list) {
    if (list.kind == PackageList::Kind::kSystem) return {list};
    std::vector<PackageList> lists = {{}};
    const TomlValue* layers = LayersOf(document_);
    if (layers == nullptr) return lists;
    for (const TomlValue& layer : layers->items) {
      const TomlValue* name = layer.Find("name");
      if (name != nullptr) lists.push_back({PackageList::Kind::kLayer, name->text});
    }
    return lists;
  }

  void Append(const PackageList& list, const std::string& package) {
    if (Find(document_, list) == nullptr) return Create(list, package);
    std::vector<std::string> texts = PackagesOf(list);
    texts.push_back(package);
    Change(list, texts, [&](const ArrayText& array) { return WithItem(text_, array, package); });
  }

  void Replace(const PackageList& list, std::size_t index, const std::string& package) {
    std::vector<std::string> texts = PackagesOf(list);
    texts[index] = package;
    Change(list, texts, [&](const ArrayText& array) {
      const ArrayItemText& item = array.items[index];
      return fmt::format("{}{}{}", text_.substr(0, item.begin), TomlQuote(package),
                         text_.substr(item.end));
    });
  }

  void Remove(const PackageList& list, std::size_t index) {
    std::vector<std::string> texts = PackagesOf(list);
    texts.erase(texts.begin() + static_cast<std::ptrdiff_t>(index));
    Change(list, texts, [&](const ArrayText& array) { return WithoutItem(text_, array, index); });
  }

 private:
  void Change(const PackageList& list, const std::vector<std::string>& wanted,
              const std::function<std::string(const ArrayText&)>& edit) {
    WriteAsArray(list);
    const auto offset = OffsetOf(text_, Find(document_, list)->where);
    const auto array = offset ? ScanArray(text_, *offset) : std::nullopt;
    if (!array || array->items.size() != PackagesOf(list).size()) {
      throw CannotEdit(file_, list.Render() + " is written in an unusual way");
    }
    if (!Take(edit(*array), list, wanted)) {
      throw CannotEdit(file_, "a change of " + list.Render() + " would change something else");
    }
  }

  // "git" for ["git"]: a list may be written as one string.
  void WriteAsArray(const PackageList& list) {
    const TomlValue* value = Find(document_, list);
    if (value->kind != Kind::kString) return;
    const auto begin = OffsetOf(text_, value->where);
    const auto end = begin ? ScanString(text_, *begin) : std::nullopt;
    if (!end) throw CannotEdit(file_, list.Render() + " is written in an unusual way");
    const std::string text = fmt::format("{}[{}]{}", text_.substr(0, *begin),
                                         text_.substr(*begin, *end - *begin), text_.substr(*end));
    if (!Take(text, list, {value->text})) throw CannotEdit(file_, list.Render());
  }

  void Create(const PackageList& list, const std::string& package) {
    for (const std::string& text : Created(list, package)) {
      if (Take(text, list, {package})) return;
    }
    throw CannotEdit(file_, "there is no " + list.Render() + ", and no place for it");
  }

  // Texts that may have the list, the nicest first.
  std::vector<std::string> Created(const PackageList& list, const std::string& package) {
    const bool extends = document_.Find("extends") != nullptr;
    const std::string key = extends ? "packages.append" : "packages";
    const std::string line = fmt::format("{} = {}\n", key, TomlArray({package}));
    const bool open_line = !text_.empty() && !text_.ends_with('\n');
    const std::string whole = text_ + (open_line ? "\n" : "");
    if (list.kind == PackageList::Kind::kLayer) {
      if (extends) {
        throw CannotEdit(file_,
                         fmt::format("it extends another spec and has no {}", list.Render()));
      }
      const std::string block = fmt::format("[[python.layers]]\nname = {}\npackages = {}\n",
                                            TomlQuote(list.layer), TomlArray({package}));
      const std::size_t place = BehindPython(whole);
      return {whole.substr(0, place) + "\n" + block + whole.substr(place), whole + "\n" + block};
    }
    const std::string section = list.kind == PackageList::Kind::kSystem ? "system" : "python";
    std::vector<std::string> texts;
    if (const TomlValue* table = document_.Find(section)) {
      const auto offset = OffsetOf(whole, table->where);
      const std::size_t end = offset ? whole.find('\n', *offset) : std::string::npos;
      if (end != std::string::npos && whole[*offset] == '[') {
        texts.push_back(whole.substr(0, end + 1) + line + whole.substr(end + 1));
      }
      if (offset) {
        const std::size_t newline =
            *offset == 0 ? std::string::npos : whole.rfind('\n', *offset - 1);
        const std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
        texts.push_back(whole.substr(0, begin) + section + "." + line + whole.substr(begin));
      }
    }
    texts.push_back(fmt::format("{}\n[{}]\n{}", whole, section, line));
    return texts;
  }

  // Before the first header behind the last part of [python], and the comment on top of it.
  std::size_t BehindPython(const std::string& whole) const {
    std::size_t last = std::string::npos;
    std::size_t place = whole.size();
    std::size_t comment = std::string::npos;  // where the lines of comment right above begin
    for (std::size_t at = 0; at < whole.size(); at = whole.find('\n', at) + 1) {
      const std::string_view row =
          Trim(std::string_view(whole).substr(at, whole.find('\n', at) - at));
      const bool header = row.starts_with('[') && row.find('=') == std::string_view::npos;
      if (header && (row.starts_with("[python") || row.starts_with("[[python"))) {
        last = at;
        place = whole.size();
      } else if (header && last != std::string::npos && place == whole.size()) {
        place = comment == std::string::npos ? at : comment;
      }
      const bool above = row.starts_with('#');
      if (!above) comment = std::string::npos;
      if (above && comment == std::string::npos) comment = at;
    }
    while (place > 1 && place < whole.size() && whole[place - 1] == '\n' &&
           whole[place - 2] == '\n') {
      --place;
    }
    return place;
  }

  // Takes `text` if it says the same but that the list holds what is wanted.
  bool Take(const std::string& text, const PackageList& list,
            const std::vector<std::string>& wanted) {
    auto parsed = ParseToml(text, file_);
    if (std::holds_alternative<Problem>(parsed)) return false;
    TomlValue document = std::get<TomlValue>(std::move(parsed));
    if (Texts(Find(document, list)) != wanted) return false;
    TomlValue before = document_;
    TomlValue after = document;
    Drop(before, list);
    Drop(after, list);
    if (!Same(before, after)) return false;
    text_ = text;
    document_ = std::move(document);
    return true;
  }

  // Takes the list out, and what is empty without it.
  static void Drop(TomlValue& document, const PackageList& list) {
    const std::string section = list.kind == PackageList::Kind::kSystem ? "system" : "python";
    TomlValue* table = document.Find(section);
    if (table == nullptr) return;
    auto erase = [](TomlValue& from, std::string_view key) {
      std::erase_if(from.entries, [&](const TomlEntry& entry) { return entry.key == key; });
    };
    if (list.kind == PackageList::Kind::kLayer) {
      TomlValue* layers = LayersOf(document);
      if (layers == nullptr) return;
      for (TomlValue& layer : layers->items) {
        if (IsNamed(layer, list.layer)) erase(layer, "packages");
      }
      std::erase_if(layers->items, [&](const TomlValue& layer) {
        return layer.entries.size() == 1 && IsNamed(layer, list.layer);
      });
      if (layers->items.empty()) erase(*table, "layers");
    } else {
      erase(*table, "packages");
    }
    if (table->entries.empty()) erase(document, section);
  }

  std::string text_;
  std::string file_;
  TomlValue document_;
};

struct Place {
  PackageList list;
  std::size_t index = 0;
  std::string package;
};

std::optional<Place> FindPackage(Editor& editor, const std::vector<PackageList>& lists,
                                 const std::string& name) {
  if (name.empty()) return std::nullopt;
  for (const PackageList& list : lists) {
    const std::vector<std::string> packages = editor.PackagesOf(list);
    for (std::size_t i = 0; i < packages.size(); ++i) {
      if (NameOf(list, packages[i]) == name) return Place{list, i, packages[i]};
    }
  }
  return std::nullopt;
}

}  // namespace

std::string PackageList::Render() const {
  switch (kind) {
    case Kind::kSystem:
      return "system.packages";
    case Kind::kPython:
      return "python.packages";
    case Kind::kLayer:
      return fmt::format("layer \"{}\"", layer);
  }
  return "";
}

EditedSpec AddPackages(std::string_view text, std::string_view file, const PackageList& list,
                       const std::vector<std::string>& packages) {
  Editor editor(text, file);
  EditedSpec edited;
  for (const std::string& package : packages) {
    RequirePackage(list, package);
    const auto place = FindPackage(editor, editor.ListsLike(list), NameOf(list, package));
    if (!place) {
      editor.Append(list, package);
      edited.changes.push_back({list, package, ""});
    } else if (place->package != package) {
      editor.Replace(place->list, place->index, package);
      edited.changes.push_back({place->list, package, place->package});
    }
  }
  edited.text = editor.text();
  return edited;
}

EditedSpec RemovePackages(std::string_view text, std::string_view file,
                          const std::optional<PackageList>& list,
                          const std::vector<std::string>& names) {
  Editor editor(text, file);
  EditedSpec edited;
  const std::vector<PackageList> lists = list ? std::vector{*list} : editor.ListsLike({});
  for (const std::string& name : names) {
    const auto place = FindPackage(editor, lists, NameOf(lists.front(), name));
    if (!place) {
      std::vector<std::string> all;
      for (const PackageList& one : lists) {
        for (const std::string& package : editor.PackagesOf(one))
          all.push_back(NameOf(one, package));
      }
      throw Error(ErrorKind::kUsage,
                  fmt::format("\"{}\" is not in {} of {}", name,
                              list ? list->Render() : "the packages of [python]", file))
          .Hint(DidYouMean(name, all));
    }
    editor.Remove(place->list, place->index);
    edited.changes.push_back({place->list, "", place->package});
  }
  edited.text = editor.text();
  return edited;
}

}  // namespace imgbuild::specs
