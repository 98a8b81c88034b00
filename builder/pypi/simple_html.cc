#include "builder/pypi/simple_html.h"

#include <array>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "specs/base/error.h"
#include "specs/base/text.h"
#include "specs/base/url.h"

namespace imgbuild::builder {
namespace {

constexpr std::string_view kSpace = " \t\r\n\f";

using Attributes = std::map<std::string, std::string>;

struct Tag {
  std::string name;  // lower case, with '/' for an end tag
  Attributes attributes;
};

void AppendCodePoint(std::string& out, std::uint32_t code) {
  if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) code = 0xfffd;
  if (code < 0x80) {
    out += static_cast<char>(code);
    return;
  }
  int extra = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
  static constexpr std::array<unsigned, 4> kLead = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(kLead[extra] | code >> (6 * extra));
  while (extra-- > 0) out += static_cast<char>(0x80 | (code >> (6 * extra) & 0x3f));
}

std::optional<std::uint32_t> NumericReference(std::string_view name) {
  name.remove_prefix(1);  // '#'
  unsigned base = 10;
  if (name.starts_with('x') || name.starts_with('X')) {
    base = 16;
    name.remove_prefix(1);
  }
  if (name.empty() || name.size() > 7) return std::nullopt;
  std::uint32_t code = 0;
  for (char c : specs::ToLower(name)) {
    unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
    if (digit >= base) return std::nullopt;
    code = code * base + digit;
  }
  return code;
}

// Character references of attribute values: numeric ones, and the names that URLs and specifiers
// need.
std::string DecodeReferences(std::string_view text) {
  static constexpr std::pair<std::string_view, char> kNamed[] = {
      {"lt", '<'}, {"gt", '>'}, {"amp", '&'}, {"quot", '"'}, {"apos", '\''}};
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::size_t end = text[i] == '&' ? text.substr(i, 12).find(';') : std::string_view::npos;
    if (end == std::string_view::npos || end < 2) {
      decoded += text[i];
      continue;
    }
    std::string_view name = text.substr(i + 1, end - 1);
    std::optional<std::uint32_t> code;
    if (name.starts_with('#')) code = NumericReference(name);
    for (auto [known, character] : kNamed) {
      if (name == known) code = character;
    }
    if (code) {
      AppendCodePoint(decoded, *code);
      i += end;
    } else {
      decoded += text[i];
    }
  }
  return decoded;
}

// Walks over the tags of a page; text and comments between them are passed over.
class TagScanner {
 public:
  explicit TagScanner(std::string_view text) : text_(text) {}

  std::optional<Tag> Next() {
    while (true) {
      at_ = text_.find('<', at_);
      if (at_ == std::string_view::npos) return std::nullopt;
      if (text_.substr(at_).starts_with("<!--")) {
        std::size_t end = text_.find("-->", at_ + 4);
        if (end == std::string_view::npos) return std::nullopt;
        at_ = end + 3;
        continue;
      }
      ++at_;
      return ReadTag();
    }
  }

 private:
  Tag ReadTag() {
    Tag tag;
    std::size_t end = std::min(text_.find_first_of(" \t\r\n\f>", at_), text_.size());
    tag.name = specs::ToLower(text_.substr(at_, end - at_));
    at_ = end;
    while (true) {
      at_ = std::min(text_.find_first_not_of(" \t\r\n\f/", at_), text_.size());
      if (at_ == text_.size()) return tag;
      if (text_[at_] == '>') {
        ++at_;
        return tag;
      }
      ReadAttribute(tag.attributes);
    }
  }

  void ReadAttribute(Attributes& attributes) {
    std::size_t end = std::min(text_.find_first_of(" \t\r\n\f/>=", at_ + 1), text_.size());
    std::string name = specs::ToLower(text_.substr(at_, end - at_));
    at_ = std::min(text_.find_first_not_of(kSpace, end), text_.size());
    std::string_view value;
    if (at_ < text_.size() && text_[at_] == '=') {
      at_ = std::min(text_.find_first_not_of(kSpace, at_ + 1), text_.size());
      value = ReadValue();
    }
    attributes.emplace(std::move(name), DecodeReferences(value));
  }

  std::string_view ReadValue() {
    if (at_ == text_.size()) return "";
    char quote = text_[at_];
    if (quote == '"' || quote == '\'') {
      std::size_t end = std::min(text_.find(quote, at_ + 1), text_.size());
      std::string_view value = text_.substr(at_ + 1, end - at_ - 1);
      at_ = std::min(end + 1, text_.size());
      return value;
    }
    std::size_t end = std::min(text_.find_first_of(" \t\r\n\f>", at_), text_.size());
    std::string_view value = text_.substr(at_, end - at_);
    at_ = end;
    return value;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

std::optional<specs::Sha256> HashOfFragment(std::string_view fragment) {
  for (std::string_view part : specs::Split(fragment, '&')) {
    if (part.starts_with("sha256=")) return specs::Sha256::Parse(part.substr(7));
  }
  return std::nullopt;
}

void ReadMetadataAttribute(const std::string& value, SimpleFile& file) {
  if (value == "false") return;
  file.core_metadata = MetadataOffer::kOffered;
  if (value.starts_with("sha256=")) {
    file.core_metadata_sha256 = specs::Sha256::Parse(std::string_view(value).substr(7));
  }
}

void AddLink(const Attributes& attributes, SimplePageBuilder& page) {
  auto href = attributes.find("href");
  if (href == attributes.end()) return;
  std::string url = specs::ResolveUrl(page.base(), specs::Trim(href->second));
  std::string filename = specs::UrlFileName(url);
  SimpleFile file;
  file.filename = filename;
  file.url = url;
  file.sha256 = HashOfFragment(specs::UrlFragment(href->second));
  if (auto found = attributes.find("data-requires-python"); found != attributes.end()) {
    file.requires_python = found->second;
  }
  if (auto found = attributes.find("data-yanked"); found != attributes.end()) {
    file.yanked = YankedState::kYes;
    file.yanked_reason = found->second;
  }
  auto metadata = attributes.find("data-core-metadata");
  if (metadata == attributes.end()) metadata = attributes.find("data-dist-info-metadata");
  if (metadata != attributes.end()) ReadMetadataAttribute(metadata->second, file);
  page.Add(file);
}

void CheckRepositoryVersion(const Attributes& attributes) {
  auto name = attributes.find("name");
  auto content = attributes.find("content");
  if (name == attributes.end() || content == attributes.end()) return;
  if (name->second != "pypi:repository-version") return;
  if (content->second == "1" || content->second.starts_with("1.")) return;
  throw specs::Error("the package index speaks another version of the simple API")
      .Found(content->second)
      .Expected("1.x");
}

}  // namespace

SimplePage ParseSimpleHtml(std::string_view text, std::string_view page_url) {
  SimplePageBuilder page((std::string(page_url)));
  TagScanner scanner(text);
  bool has_tags = false;
  bool has_input = false;
  while (std::optional<Tag> tag = scanner.Next()) {
    has_tags = true;
    if (tag->name == "a") {
      AddLink(tag->attributes, page);
    } else if (tag->name == "base") {
      auto href = tag->attributes.find("href");
      if (href != tag->attributes.end()) page.SetBase(specs::ResolveUrl(page.base(), href->second));
    } else if (tag->name == "meta") {
      CheckRepositoryVersion(tag->attributes);
    } else if (tag->name == "input") {
      has_input = true;
    }
  }
  if (!has_tags) throw specs::Error("the project page is not HTML");
  SimplePage finished = page.Finish();
  if (finished.size() == 0 && has_input) {
    throw specs::Error("the answer is a form to fill in, not a project page")
        .Hint(
            "the index, or the network before it, may want a login: see the credentials of its "
            "URL, or open it in a browser");
  }
  return finished;
}

}  // namespace imgbuild::builder
