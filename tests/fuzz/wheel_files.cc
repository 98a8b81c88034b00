// What a wheel says of itself: METADATA, RECORD, entry points, its name; shared objects and
// fonts in it.
#include "layers/unpack/elf.h"
#include "layers/unpack/entry_points.h"
#include "layers/unpack/fatbin.h"
#include "layers/unpack/font_list.h"
#include "layers/unpack/library_watcher.h"
#include "layers/unpack/sfnt.h"
#include "specs/python/metadata.h"
#include "specs/python/record.h"
#include "specs/python/tags.h"
#include "tests/fuzz/target.h"

namespace imgbuild::fuzz {

void Try(std::string_view bytes) {
  (void)specs::ParseCoreMetadata(bytes);
  (void)specs::ParseRecord(bytes);
  (void)specs::WheelName::Parse(bytes);
  (void)layers::ReadElf(bytes);
  (void)layers::ReadGpuCode(bytes);
  layers::LibraryWatcher watcher(bytes.size());
  watcher.Watch(bytes.substr(0, bytes.size() / 3));
  watcher.Watch(bytes.substr(bytes.size() / 3));
  (void)watcher.Finish();
  (void)layers::ParseScripts(bytes);
  (void)layers::ReadSfnt(bytes);
  (void)layers::MakeFontList("\n    __version__ = 390\n",
                             {{"fonts/afm/a.afm", std::string(bytes)}});
}

}  // namespace imgbuild::fuzz
