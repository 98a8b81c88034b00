#include "specs/debian/relation_scanner.h"

#include <fmt/format.h>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::specs {
namespace {

bool IsSpace(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

bool IsNameCharacter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '+' ||
         c == '-' || c == '.' || c == '_';
}

}  // namespace

void RelationScanner::SkipSpace() {
  while (!AtEnd() && IsSpace(Peek())) ++at_;
}

void RelationScanner::Fail(std::string_view expected) const {
  constexpr std::size_t kShown = 60;
  std::size_t begin = at_ > kShown ? at_ - kShown : 0;
  throw Error(fmt::format("the relation field breaks off at byte {}", at_))
      .Found(fmt::format("\"{}\" before \"{}\"", field_.substr(begin, at_ - begin),
                         field_.substr(std::min(at_, field_.size()), kShown)))
      .Expected(std::string(expected));
}

std::optional<ScannedRelation> RelationScanner::Next() {
  SkipSpace();
  while (!AtEnd() && Peek() == ',') {
    ++at_;
    SkipSpace();
  }
  if (AtEnd()) return std::nullopt;

  ScannedRelation relation;
  relation.name = ScanName("a package name");
  if (!AtEnd() && Peek() == ':') {
    ++at_;
    relation.qualifier = ScanName("an architecture after \":\"");
  }
  SkipSpace();
  if (!AtEnd() && Peek() == '(') ScanVersion(relation);
  SkipSpace();
  if (!AtEnd() && Peek() == '[') relation.architectures = ScanBracketed('[', ']');
  SkipSpace();
  ScanProfiles(relation);
  ScanSeparator(relation);
  return relation;
}

std::string_view RelationScanner::ScanName(std::string_view expected) {
  std::size_t begin = at_;
  while (!AtEnd() && IsNameCharacter(Peek())) ++at_;
  if (at_ == begin) Fail(expected);
  return field_.substr(begin, at_ - begin);
}

void RelationScanner::ScanVersion(ScannedRelation& relation) {
  ++at_;
  SkipSpace();
  std::size_t begin = at_;
  while (!AtEnd() && (Peek() == '<' || Peek() == '>' || Peek() == '=')) ++at_;
  std::string_view op = field_.substr(begin, at_ - begin);
  if (op == "<<") {
    relation.op = VersionOp::kLess;
  } else if (op == "<=" || op == "<") {
    relation.op = VersionOp::kLessEqual;
  } else if (op == "=") {
    relation.op = VersionOp::kEqual;
  } else if (op == ">=" || op == ">") {
    relation.op = VersionOp::kGreaterEqual;
  } else if (op == ">>") {
    relation.op = VersionOp::kGreater;
  } else {
    Fail("one of << <= = >= >>");
  }
  SkipSpace();
  begin = at_;
  while (!AtEnd() && Peek() != ')' && Peek() != ',' && Peek() != '(' && !IsSpace(Peek())) ++at_;
  relation.version = field_.substr(begin, at_ - begin);
  if (relation.version.empty()) Fail("a version");
  SkipSpace();
  if (AtEnd() || Peek() != ')') Fail("\")\" after the version");
  ++at_;
}

std::string_view RelationScanner::ScanBracketed(char open, char close) {
  ++at_;
  std::size_t begin = at_;
  while (!AtEnd() && Peek() != close && Peek() != open && Peek() != ',') ++at_;
  if (AtEnd() || Peek() != close) Fail(fmt::format("\"{}\"", close));
  std::string_view content = field_.substr(begin, at_ - begin);
  ++at_;
  return content;
}

void RelationScanner::ScanProfiles(ScannedRelation& relation) {
  std::size_t begin = at_;
  std::size_t end = at_;
  while (!AtEnd() && Peek() == '<') {
    ScanBracketed('<', '>');
    end = at_;
    SkipSpace();
  }
  relation.profiles = field_.substr(begin, end - begin);
}

void RelationScanner::ScanSeparator(ScannedRelation& relation) {
  relation.ends_group = true;
  SkipSpace();
  if (AtEnd()) return;
  if (Peek() == '|') {
    ++at_;
    SkipSpace();
    if (AtEnd() || Peek() == ',') Fail("an alternative after \"|\"");
    relation.ends_group = false;
    return;
  }
  if (Peek() != ',') Fail("\",\", \"|\" or the end of the field");
  ++at_;
}

}  // namespace imgbuild::specs
