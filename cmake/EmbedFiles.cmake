# Puts files into a library as read-only data, so that the program is one file.
#
# imgbuild_embed(<target> <identifier> <file>) defines the symbols imgbuild_embedded_<identifier> and
# imgbuild_embedded_<identifier>_end, which builder/assemble/embedded.cc declares.

enable_language(ASM)

function(imgbuild_embed target identifier file)
  set(source "${CMAKE_CURRENT_BINARY_DIR}/embedded_${identifier}.S")
  file(CONFIGURE OUTPUT "${source}" CONTENT
[[    .section .rodata
    .balign 16
    .globl imgbuild_embedded_@identifier@
    .globl imgbuild_embedded_@identifier@_end
imgbuild_embedded_@identifier@:
    .incbin "@file@"
imgbuild_embedded_@identifier@_end:
    .section .note.GNU-stack,"",%progbits
]] @ONLY)
  set_source_files_properties("${source}" PROPERTIES OBJECT_DEPENDS "${file}")
  target_sources(${target} PRIVATE "${source}")
endfunction()
