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
pkg_check_modules(ISAL REQUIRED IMPORTED_TARGET libisal)

# Headers alone: layers/io/shared_library.h loads these when they are first needed.
function(imgbuild_headers_of target library)
  add_library(${target} INTERFACE)
  target_include_directories(${target} SYSTEM INTERFACE
                             $<TARGET_PROPERTY:${library},INTERFACE_INCLUDE_DIRECTORIES>)
endfunction()
imgbuild_headers_of(imgbuild_archive_headers LibArchive::LibArchive)
imgbuild_headers_of(imgbuild_curl_headers CURL::libcurl)
imgbuild_headers_of(imgbuild_rnp_headers PkgConfig::RNP)

# Codecs are linked statically: the same bytes come out whatever the machine has installed.
find_library(ZSTD_STATIC libzstd.a REQUIRED)
find_library(DEFLATE_STATIC libdeflate.a REQUIRED)
