#include "specs/python/marker_parser.h"

#include "specs/python/name.h"

namespace imgbuild::specs {
namespace {

using Item = Marker::Item;
using Operand = Marker::Operand;

// Deeper nesting is no marker that a person wrote.
constexpr int kMaxDepth = 200;

class MarkerParser {
 public:
  explicit MarkerParser(DependencyScanner& scanner) : scanner_(scanner) {}

  // marker = atom (("and" | "or") atom)*
  std::vector<Item> ParseExpression(int depth) {
    std::vector<Item> items = {ParseAtom(depth)};
    for (;;) {
      Item junction;
      if (scanner_.TakeWord("or")) {
        junction.kind = Item::Kind::kOr;
      } else if (scanner_.TakeWord("and")) {
        junction.kind = Item::Kind::kAnd;
      } else {
        return items;
      }
      items.push_back(std::move(junction));
      items.push_back(ParseAtom(depth));
    }
  }

 private:
  // atom = "(" marker ")" | operand operator operand
  Item ParseAtom(int depth) {
    scanner_.TakeSpace();
    Item item;
    if (scanner_.Looking('(')) {
      if (depth == kMaxDepth) throw SyntaxError{"too many parentheses", scanner_.position()};
      scanner_.Take('(');
      scanner_.TakeSpace();
      item.kind = Item::Kind::kGroup;
      item.group = ParseExpression(depth + 1);
      scanner_.TakeSpace();
      if (!scanner_.Take(')')) scanner_.Fail("\")\" after the marker expression");
    } else {
      item.left = ParseOperand();
      scanner_.TakeSpace();
      item.op = ParseOperator();
      scanner_.TakeSpace();
      item.right = ParseOperand();
      NormalizeExtras(item);
    }
    scanner_.TakeSpace();
    return item;
  }

  Operand ParseOperand() {
    std::string variable = scanner_.TakeVariable();
    if (!variable.empty()) return {true, std::move(variable)};
    std::optional<std::string> text = scanner_.TakeString();
    if (!text) scanner_.Fail("a marker variable or a quoted string");
    return {false, *std::move(text)};
  }

  std::string ParseOperator() {
    if (scanner_.TakeWord("in")) return "in";
    if (scanner_.TakeWord("not")) {
      if (!scanner_.TakeSpace()) scanner_.Fail("a space after \"not\"");
      if (!scanner_.TakeWord("in")) scanner_.Fail("\"in\" after \"not\"");
      return "not in";
    }
    std::string_view op = scanner_.TakeOperator();
    if (op.empty()) scanner_.Fail("one of <= < != == >= > ~= === in, not in");
    return std::string(op);
  }

  static void NormalizeExtras(Item& item) {
    Operand& left = item.left;
    Operand& right = item.right;
    if (left.variable && left.text == "extra" && !right.variable) {
      right.text = NormalizeName(right.text);
    } else if (right.variable && !left.variable &&
               (right.text == "extra" || right.text == "extras" ||
                right.text == "dependency_groups")) {
      left.text = NormalizeName(left.text);
    }
  }

  DependencyScanner& scanner_;
};

}  // namespace

std::vector<Marker::Item> ParseMarkerItems(DependencyScanner& scanner) {
  return MarkerParser(scanner).ParseExpression(0);
}

}  // namespace imgbuild::specs
