// What a fuzz target is: one function over bytes that nobody vouches for.
#pragma once

#include <string_view>

namespace imgbuild::fuzz {

// Defined once by each target. May throw specs::Error, the answer to bytes that are not right;
// everything else that leaves it, and every crash, hang or large allocation, is a defect.
void Try(std::string_view bytes);

// Ends the process where a property does not hold.
void Require(bool holds, const char* property);

}  // namespace imgbuild::fuzz
