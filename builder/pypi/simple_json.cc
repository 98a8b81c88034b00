#include "builder/pypi/simple_json.h"

#include <chrono>

#include "builder/pypi/json_scanner.h"
#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

// Two to four digits at the front of `text`, taken off it.
std::optional<int> TakeDigits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (char c : text.substr(0, count)) {
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool TakeChar(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> TakeDate(std::string_view& text) {
  std::optional<int> year = TakeDigits(text, 4);
  if (!year || !TakeChar(text, '-')) return std::nullopt;
  std::optional<int> month = TakeDigits(text, 2);
  if (!month || !TakeChar(text, '-')) return std::nullopt;
  std::optional<int> day = TakeDigits(text, 2);
  if (!day) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(*year), std::chrono::month(*month),
                                   std::chrono::day(*day)};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count() * 86'400'000'000LL;
}

std::int64_t TakeFraction(std::string_view& text) {
  std::int64_t micros = 0;
  std::int64_t unit = 100'000;
  while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
    micros += (text.front() - '0') * unit;
    unit /= 10;
    text.remove_prefix(1);
  }
  return micros;
}

// Seconds east of UTC.
std::optional<int> TakeOffset(std::string_view& text) {
  if (TakeChar(text, 'Z') || TakeChar(text, 'z')) return 0;
  int sign = text.starts_with('-') ? -1 : 1;
  if (!TakeChar(text, '+') && !TakeChar(text, '-')) return std::nullopt;
  std::optional<int> hours = TakeDigits(text, 2);
  if (!hours) return std::nullopt;
  TakeChar(text, ':');
  std::optional<int> minutes = TakeDigits(text, 2);
  if (!minutes) return std::nullopt;
  return sign * (*hours * 3600 + *minutes * 60);
}

std::optional<specs::Sha256> HashesSha256(JsonScanner& json) {
  std::optional<specs::Sha256> digest;
  json.BeginObject();
  while (std::optional<std::string_view> key = json.NextKey()) {
    if (*key == "sha256" && json.Peek() == '"') {
      digest = specs::Sha256::Parse(json.String());
    } else {
      json.Skip();
    }
  }
  return digest;
}

// PEP 714: true, false, or a table of hashes.
void ReadCoreMetadata(JsonScanner& json, SimpleFile& file) {
  char next = json.Peek();
  if (next == '{') {
    file.core_metadata = MetadataOffer::kOffered;
    file.core_metadata_sha256 = HashesSha256(json);
  } else if (next == 't') {
    json.Bool();
    file.core_metadata = MetadataOffer::kOffered;
  } else {
    json.Skip();
  }
}

// PEP 592: true, or the reason as a text.
void ReadYanked(JsonScanner& json, SimpleFile& file, std::string& reason) {
  char next = json.Peek();
  if (next == '"') {
    file.yanked = YankedState::kYes;
    reason = json.String();
    file.yanked_reason = reason;
  } else if (next == 't' || next == 'f') {
    if (json.Bool()) file.yanked = YankedState::kYes;
  } else {
    json.Skip();
  }
}

// Copies of the texts of one file: views of the scanner do not outlive its next step.
struct FileTexts {
  std::string filename;
  std::string requires_python;
  std::string yanked_reason;
};

void ReadField(JsonScanner& json, std::string_view key, SimpleFile& file, FileTexts& texts) {
  bool text = json.Peek() == '"';
  if (key == "filename" && text) {
    texts.filename = json.String();
    file.filename = texts.filename;
  } else if (key == "url" && text) {
    file.url = json.String();
  } else if (key == "hashes" && json.Peek() == '{') {
    file.sha256 = HashesSha256(json);
  } else if (key == "requires-python" && text) {
    texts.requires_python = json.String();
    file.requires_python = texts.requires_python;
  } else if (key == "size" && json.Peek() >= '0' && json.Peek() <= '9') {
    file.size = json.Unsigned();
  } else if (key == "upload-time" && text) {
    file.upload_time = ParseTimestamp(json.String());
  } else if (key == "yanked") {
    ReadYanked(json, file, texts.yanked_reason);
  } else if (key == "core-metadata") {
    ReadCoreMetadata(json, file);
  } else if (key == "dist-info-metadata" || key == "data-dist-info-metadata") {
    if (file.core_metadata == MetadataOffer::kOffered) {
      json.Skip();
    } else {
      ReadCoreMetadata(json, file);
    }
  } else {
    json.Skip();
  }
}

void ReadFiles(JsonScanner& json, SimplePageBuilder& page) {
  FileTexts texts;
  SimpleFile file;
  json.BeginArray();
  while (json.NextElement()) {
    std::string url = std::move(file.url);
    url.clear();
    file = SimpleFile{.url = std::move(url)};
    json.BeginObject();
    while (std::optional<std::string_view> key = json.NextKey()) {
      // Keys are short and never escaped in practice, so the copy costs nothing.
      ReadField(json, std::string(*key), file, texts);
    }
    if (!file.filename.empty() && !file.url.empty()) page.Add(file);
  }
}

void CheckApiVersion(JsonScanner& json) {
  json.BeginObject();
  while (std::optional<std::string_view> key = json.NextKey()) {
    if (*key != "api-version" || json.Peek() != '"') {
      json.Skip();
      continue;
    }
    std::string version(json.String());
    if (version != "1" && !version.starts_with("1.")) {
      throw specs::Error("the package index speaks another version of the simple API")
          .Found(version)
          .Expected("1.x");
    }
  }
}

}  // namespace

std::optional<std::int64_t> ParseTimestamp(std::string_view text) {
  std::optional<std::int64_t> date = TakeDate(text);
  if (!date || text.empty()) return date;
  if (!TakeChar(text, 'T') && !TakeChar(text, 't') && !TakeChar(text, ' ')) return std::nullopt;
  std::optional<int> hours = TakeDigits(text, 2);
  if (!hours || !TakeChar(text, ':')) return std::nullopt;
  std::optional<int> minutes = TakeDigits(text, 2);
  if (!minutes || !TakeChar(text, ':')) return std::nullopt;
  std::optional<int> seconds = TakeDigits(text, 2);
  if (!seconds || *hours > 23 || *minutes > 59 || *seconds > 60) return std::nullopt;
  std::int64_t fraction = TakeChar(text, '.') ? TakeFraction(text) : 0;
  std::optional<int> offset = text.empty() ? 0 : TakeOffset(text);
  if (!offset || !text.empty()) return std::nullopt;
  std::int64_t of_day = *hours * 3600LL + *minutes * 60LL + *seconds - *offset;
  return *date + of_day * 1'000'000 + fraction;
}

SimplePage ParseSimpleJson(std::string_view text, std::string_view page_url) {
  JsonScanner json(text);
  SimplePageBuilder page((std::string(page_url)));
  bool has_files = false;
  json.BeginObject();
  while (std::optional<std::string_view> key = json.NextKey()) {
    if (*key == "files" && json.Peek() == '[') {
      has_files = true;
      ReadFiles(json, page);
    } else if (*key == "meta" && json.Peek() == '{') {
      CheckApiVersion(json);
    } else {
      json.Skip();
    }
  }
  json.ExpectEnd();
  if (!has_files) throw specs::Error("the project page has no list of files");
  return page.Finish();
}

}  // namespace imgbuild::builder
