// Small pure functions over text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace imgbuild::specs {

// Without white space (space, tab, CR, LF, VT, FF) at either end.
std::string_view Trim(std::string_view text);

// The pieces between each `separator`; one empty piece for an empty text.
std::vector<std::string_view> Split(std::string_view text, char separator);

// The non-empty pieces between runs of white space.
std::vector<std::string_view> SplitWords(std::string_view text);

std::string Join(const std::vector<std::string>& parts, std::string_view separator);

// ASCII only; other bytes are left alone.
std::string ToLower(std::string_view text);

// Decimal digits only, no sign; nullopt on anything else and on overflow.
std::optional<std::uint64_t> ParseUnsigned(std::string_view text);

// "0 B", "999 B", "1.2 kB", "302 MB": SI units, three digits at most.
std::string HumanBytes(std::uint64_t bytes);

// "85 ms", "1.4 s", "2 min 05 s" from milliseconds.
std::string HumanDuration(std::uint64_t milliseconds);

// "1 package", "2 packages"; `noun` takes a plain s.
std::string Count(std::uint64_t number, std::string_view noun);

// The candidates nearest to `name` by edit distance (transpositions count once), best first, at
// most `limit`; only those near enough to be a likely slip.
std::vector<std::string> Nearest(std::string_view name, const std::vector<std::string>& candidates,
                                 std::size_t limit = 3);

// "did you mean \"a\" or \"b\"?", or "" without candidates: a hint for Problem and Error.
std::string DidYouMean(std::string_view name, const std::vector<std::string>& candidates);

}  // namespace imgbuild::specs
