# Every library is required: no feature switches, so each build of a commit behaves alike.

find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(CURL REQUIRED)
find_package(LibArchive REQUIRED)
find_package(fmt REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(tomlplusplus REQUIRED)
pkg_check_modules(RNP REQUIRED IMPORTED_TARGET librnp)

# Codecs are linked statically: the same bytes come out whatever the machine has installed.
find_library(ZSTD_STATIC libzstd.a REQUIRED)
find_library(DEFLATE_STATIC libdeflate.a REQUIRED)
