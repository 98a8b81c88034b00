#include "builder/cli/debug/json_lines.h"

#include <istream>
#include <ostream>

#include <nlohmann/json.hpp>

#include "specs/base/error.h"
#include "specs/base/text.h"

namespace imgbuild::builder {
namespace {

using nlohmann::json;

json Answer(const std::string& line, const std::function<json(const json&)>& answer) {
  try {
    json question = json::parse(line);
    if (!question.is_object()) return {{"error", "expected a JSON object"}};
    return answer(question);
  } catch (const specs::Error& error) {
    return {{"error", error.what()}};
  } catch (const json::exception& error) {
    return {{"error", error.what()}};
  }
}

}  // namespace

int AnswerJsonLines(std::istream& in, std::ostream& out,
                    const std::function<json(const json&)>& answer) {
  for (std::string line; std::getline(in, line);) {
    if (specs::Trim(line).empty()) continue;
    out << Answer(line, answer).dump(-1, ' ', false, json::error_handler_t::replace) << '\n';
    if (in.rdbuf()->in_avail() <= 0) out.flush();
  }
  out.flush();
  return 0;
}

}  // namespace imgbuild::builder
