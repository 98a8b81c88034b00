# The mirror and index that the build host itself uses become the last resort of the binary, so that
# no host name stands in the source. Override with -DIMGBUILD_DEFAULT_...=URL.

set(IMGBUILD_DEFAULT_DEBIAN_MIRROR "" CACHE STRING "Debian archive used when nothing else names one")
set(IMGBUILD_DEFAULT_DEBIAN_SECURITY_MIRROR "" CACHE STRING "Debian security archive, likewise")
set(IMGBUILD_DEFAULT_PYTHON_INDEX "" CACHE STRING "Python package index, likewise")

function(imgbuild_default variable)
  if(NOT ${variable} STREQUAL "")
    return()
  endif()
  execute_process(COMMAND ${ARGN} OUTPUT_VARIABLE found OUTPUT_STRIP_TRAILING_WHITESPACE
                  ERROR_QUIET RESULT_VARIABLE failed)
  if(NOT failed AND NOT found STREQUAL "")
    string(REGEX REPLACE "\n.*" "" found "${found}")
    string(REGEX REPLACE "/+$" "" found "${found}")
    set(${variable} "${found}" CACHE STRING "" FORCE)
  endif()
endfunction()

imgbuild_default(IMGBUILD_DEFAULT_DEBIAN_MIRROR
  sh -c "apt-get indextargets --format '$(SUITE) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' | awk '$2 ~ /^(bookworm|trixie)$/ {print $3}'")
imgbuild_default(IMGBUILD_DEFAULT_DEBIAN_SECURITY_MIRROR
  sh -c "apt-get indextargets --format '$(SUITE) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' | awk '$2 ~ /^(bookworm|trixie)-security$/ {print $3}'")
imgbuild_default(IMGBUILD_DEFAULT_PYTHON_INDEX
  python3 -c "print(__import__('pip._internal.models.index', fromlist=['PyPI']).PyPI.simple_url)")

configure_file("${PROJECT_SOURCE_DIR}/cmake/default_sources.h.in"
               "${PROJECT_BINARY_DIR}/generated/builder/host/default_sources.h" @ONLY)
