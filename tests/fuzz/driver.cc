// A target without libFuzzer: every file of its corpus, and some hundred damaged versions of each,
// the same ones every time. So the targets run in every build, and inputs that once crashed stay
// tests.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr int kVersions = 200;

void Run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

std::string Damaged(std::string bytes, std::mt19937& random) {
  if (bytes.empty()) return bytes;
  const std::size_t at = random() % bytes.size();
  switch (random() % 5) {
    case 0:
      bytes.resize(at);
      break;
    case 1:
      bytes.erase(at, random() % 16 + 1);
      break;
    case 2:
      bytes.insert(at, bytes.substr(random() % bytes.size(), random() % 64));
      break;
    case 3:
      bytes[at] = static_cast<char>(random());
      break;
    default:
      bytes[at] = static_cast<char>(bytes[at] ^ 1 << random() % 8);
  }
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) {
    std::ifstream stream(entry.path(), std::ios::binary);
    const std::string bytes{std::istreambuf_iterator<char>(stream), {}};
    Run(bytes);
    std::mt19937 random(1);
    std::string damaged = bytes;
    for (int i = 0; i < kVersions; ++i) {
      damaged = Damaged(i % 8 == 0 ? bytes : damaged, random);
      Run(damaged);
    }
    ++files;
  }
  std::printf("%d files\n", files);
  return files > 0 ? 0 : 1;
}
