// The loop of the debug verbs: a JSON object a line in, a JSON object a line out.
#pragma once

#include <functional>
#include <iosfwd>

#include <nlohmann/json_fwd.hpp>

namespace imgbuild::builder {

// Answers each non-blank line of `in` with `answer(question)`. A line that is no JSON object, and
// an Error or JSON type error that leaves `answer`, become {"error": "..."}. Written through as
// soon as no further line is at hand, so that a caller can wait for each answer. Returns 0.
int AnswerJsonLines(std::istream& in, std::ostream& out,
                    const std::function<nlohmann::json(const nlohmann::json&)>& answer);

}  // namespace imgbuild::builder
