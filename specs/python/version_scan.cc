#include "specs/python/version_scan.h"

#include "specs/python/python_text.h"

namespace imgbuild::specs {
namespace {

// Walks over the text; each Take* either takes its piece or leaves the position alone.
class Walker {
 public:
  explicit Walker(std::string_view text) : text_(text) {}

  std::size_t position() const { return position_; }
  void Return(std::size_t position) { position_ = position; }

  bool Take(char c) {
    if (position_ == text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  // `word` in lower case.
  bool TakeWord(std::string_view word) {
    if (text_.size() - position_ < word.size()) return false;
    for (std::size_t i = 0; i < word.size(); ++i) {
      char c = text_[position_ + i];
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      if (c != word[i]) return false;
    }
    position_ += word.size();
    return true;
  }

  bool TakeSeparator() { return Take('.') || Take('-') || Take('_'); }

  std::string_view TakeDigits() { return TakeWhile(IsAsciiDigit); }
  std::string_view TakeAlnum() { return TakeWhile(IsAsciiAlnum); }

 private:
  template <typename Predicate>
  std::string_view TakeWhile(Predicate belongs) {
    std::size_t begin = position_;
    while (position_ < text_.size() && belongs(text_[position_])) ++position_;
    return text_.substr(begin, position_ - begin);
  }

  std::string_view text_;
  std::size_t position_ = 0;
};

void ScanPre(Walker& walker, VersionScan& scan) {
  static constexpr struct {
    std::string_view word;
    char code;
  } kWords[] = {{"alpha", 'a'},   {"a", 'a'},   {"beta", 'b'}, {"b", 'b'},
                {"preview", 'c'}, {"pre", 'c'}, {"c", 'c'},    {"rc", 'c'}};
  std::size_t begin = walker.position();
  walker.TakeSeparator();
  for (const auto& [word, code] : kWords) {
    if (!walker.TakeWord(word)) continue;
    scan.pre = code;
    walker.TakeSeparator();
    scan.pre_number = walker.TakeDigits();
    return;
  }
  walker.Return(begin);
}

void ScanPost(Walker& walker, VersionScan& scan) {
  std::size_t begin = walker.position();
  if (walker.Take('-')) {
    std::string_view digits = walker.TakeDigits();
    if (!digits.empty()) {
      scan.post = digits;
      return;
    }
    walker.Return(begin);
  }
  walker.TakeSeparator();
  if (walker.TakeWord("post") || walker.TakeWord("rev") || walker.TakeWord("r")) {
    walker.TakeSeparator();
    scan.post = walker.TakeDigits();
    return;
  }
  walker.Return(begin);
}

void ScanDev(Walker& walker, VersionScan& scan) {
  std::size_t begin = walker.position();
  walker.TakeSeparator();
  if (!walker.TakeWord("dev")) return walker.Return(begin);
  walker.TakeSeparator();
  scan.dev = walker.TakeDigits();
}

void ScanLocal(std::string_view text, Walker& walker, VersionScan& scan) {
  std::size_t begin = walker.position();
  if (!walker.Take('+')) return;
  if (walker.TakeAlnum().empty()) return walker.Return(begin);
  std::size_t end = walker.position();
  while (walker.TakeSeparator() && !walker.TakeAlnum().empty()) end = walker.position();
  walker.Return(end);
  scan.local = text.substr(begin + 1, end - begin - 1);
}

}  // namespace

std::optional<VersionScan> ScanVersion(std::string_view text, VersionTail tail) {
  VersionScan scan;
  Walker walker(text);
  if (!walker.Take('v')) walker.Take('V');
  std::size_t begin = walker.position();
  std::string_view digits = walker.TakeDigits();
  if (digits.empty()) return std::nullopt;
  std::size_t end = walker.position();
  if (walker.Take('!')) {
    std::size_t release = walker.position();
    if (!walker.TakeDigits().empty()) {
      scan.epoch = digits;
      begin = release;
      end = walker.position();
    }
  }
  walker.Return(end);
  while (walker.Take('.') && !walker.TakeDigits().empty()) end = walker.position();
  walker.Return(end);
  scan.release = text.substr(begin, end - begin);
  if (tail != VersionTail::kReleaseOnly) {
    ScanPre(walker, scan);
    ScanPost(walker, scan);
    ScanDev(walker, scan);
    if (tail == VersionTail::kAll) ScanLocal(text, walker, scan);
  }
  scan.length = walker.position();
  return scan;
}

}  // namespace imgbuild::specs
