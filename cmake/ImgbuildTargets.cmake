# One library per folder, sources listed one by one; one test program per folder.

# imgbuild_library(<name> SOURCES a.cc ... [DEPS lib ...] [PRIVATE lib ...])
#   DEPS    libraries of ours (and fmt, ...) whose headers this folder's headers include
#   PRIVATE third-party libraries used in the .cc files only
# One precompiled header for all libraries and one for all tests: a header each would cost more than
# it saves.
file(WRITE "${PROJECT_BINARY_DIR}/empty.cc.new" "")
configure_file("${PROJECT_BINARY_DIR}/empty.cc.new" "${PROJECT_BINARY_DIR}/empty.cc" COPYONLY)

add_library(imgbuild_pch OBJECT "${PROJECT_BINARY_DIR}/empty.cc")
target_link_libraries(imgbuild_pch PUBLIC fmt::fmt)
target_precompile_headers(imgbuild_pch PRIVATE
  <algorithm> <array> <cstdint> <filesystem> <functional> <map> <memory> <optional> <span> <string>
  <string_view> <utility> <variant> <vector> <fmt/core.h>)

add_library(imgbuild_test_pch OBJECT "${PROJECT_BINARY_DIR}/empty.cc")
target_link_libraries(imgbuild_test_pch PUBLIC fmt::fmt GTest::gmock GTest::gtest)
target_precompile_headers(imgbuild_test_pch PRIVATE
  <algorithm> <array> <cstdint> <filesystem> <functional> <map> <memory> <optional> <span> <string>
  <string_view> <utility> <variant> <vector> <fmt/core.h> <gtest/gtest.h> <gmock/gmock.h>)

# Test programs are compiled without optimization, which takes half their time and tests nothing of
# ours: what they link is optimized as ever.
function(imgbuild_plain name)
  target_compile_options(${name} PRIVATE "$<$<CONFIG:Release>:-O0>")
endfunction()
imgbuild_plain(imgbuild_test_pch)

function(imgbuild_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}/generated")
  target_link_libraries(${name} PUBLIC fmt::fmt ${ARG_DEPS} PRIVATE ${ARG_PRIVATE})
  target_precompile_headers(${name} REUSE_FROM imgbuild_pch)
endfunction()

# imgbuild_test(<name> SOURCES a_test.cc ... [DEPS lib ...] [LABELS label ...])
# Tests run with the repository root as working directory. Labels other than "unit" name what a
# test needs beyond the build: network, podman, qemu.
function(imgbuild_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} fmt::fmt GTest::gmock GTest::gtest_main)
  target_precompile_headers(${name} REUSE_FROM imgbuild_test_pch)
  # For tests that need to know; compilers differ in a name of their own.
  target_compile_definitions(${name} PRIVATE "$<$<CONFIG:Sanitized>:IMGBUILD_SANITIZED>")
  imgbuild_plain(${name})
  if(NOT ARG_LABELS)
    set(ARG_LABELS unit)
  endif()
  include(GoogleTest)
  gtest_discover_tests(${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}" DISCOVERY_TIMEOUT 120
                       PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 600)
endfunction()
