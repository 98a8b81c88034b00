// The sections of a spec, each read from its table with all its own checks.
#pragma once

#include <vector>

#include "specs/env/spec.h"
#include "specs/env/table_reader.h"

namespace imgbuild::specs {

ImageSection ReadImage(const TomlValue* table, SpecReading& reading);
SystemSection ReadSystem(const TomlValue* table, SpecReading& reading);
PythonSection ReadPython(const TomlValue* table, SpecReading& reading);
CudaSection ReadCuda(const TomlValue* table, SpecReading& reading);
std::vector<FilesEntry> ReadFiles(TableReader& spec);
std::vector<ArtifactEntry> ReadArtifacts(TableReader& spec);
// With presets filled in; `image` is read already.
std::vector<Service> ReadServices(const TomlValue* table, const ImageSection& image,
                                  SpecReading& reading);

// Environment variables: names that look like secrets are noted.
std::map<std::string, std::string> ReadEnv(TableReader& table);
// "scheme://..."; credentials, which have no place in a file, are noted.
std::optional<std::string> ReadSourceUrl(TableReader& table, std::string_view key);
// "uid" or "uid:gid" in numbers.
bool IsNumericOwner(std::string_view text);

// What concerns several sections.
// Suite and Python version belong together: the suite follows where it is not given.
void CheckSuite(Spec& spec, TableReader& document, SpecReading& reading);
// What cannot be had on a base image.
void CheckBaseImage(const Spec& spec, SpecReading& reading);
// A TZ that names no time zone. Which ones there are is known once tzdata is unpacked.
void CheckTimezone(const Spec& spec, SpecReading& reading);
// Unknown names and cycles in `after`, ports taken twice, users that cannot be become.
void CheckServices(const Spec& spec, SpecReading& reading);
// The distributions and files that presets run.
void CheckPresets(const Spec& spec, SpecReading& reading);
// What SpecRequest::check_local says of the paths that a build reads.
void CheckLocalFiles(const Spec& spec, SpecReading& reading);

}  // namespace imgbuild::specs
