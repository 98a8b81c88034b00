// Containers: tar, ar, zip and their compressions; facts as the cache keeps them.
#include "layers/io/archive.h"
#include "layers/tree/facts.h"
#include "layers/unpack/zip_archive.h"
#include "tests/fuzz/target.h"

namespace imgbuild::fuzz {

void Try(std::string_view bytes) {
  layers::FuzzArchive(bytes);
  layers::FuzzZip(bytes);
  layers::FuzzFacts(bytes);
}

}  // namespace imgbuild::fuzz
