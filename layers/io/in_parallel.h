// Several things at once, each of which blocks its thread.
#pragma once

#include <cstddef>
#include <functional>

namespace imgbuild::layers {

// Calls work(0) to work(count - 1) on up to `jobs` threads and waits. The first failure ends it,
// after what is under way, and is thrown.
void InParallel(std::size_t count, int jobs, const std::function<void(std::size_t)>& work);

}  // namespace imgbuild::layers
