# Compiler and linker settings that hold for every target of Pando, and for no third-party code.
#
# The linker is the system's. Debian 12's mold (1.10) takes a second less for a binary, and one in a
# thousand does not start: where a page begins just behind the thread-local variables, its
# PT_GNU_RELRO begins on a page that is not mapped (rui314/mold#1151).

find_program(PANDO_CCACHE ccache)
if(PANDO_CCACHE)
  set(CMAKE_C_COMPILER_LAUNCHER ${PANDO_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${PANDO_CCACHE})
endif()

if(PANDO_SANITIZE)
  add_compile_options(-fsanitize=${PANDO_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${PANDO_SANITIZE})
endif()

if(PANDO_FUZZ)
  # libFuzzer steers by what the code under test covers; its main is linked in tests/fuzz.
  add_compile_options(-fsanitize=fuzzer-no-link)
endif()

# Linked by every target whose source is ours; generated code does not link it.
add_library(pando_warnings INTERFACE)
target_compile_options(pando_warnings INTERFACE
  -Wall -Wextra -Wconversion -Werror
  # Designated initializers leave members at their defaults on purpose.
  -Wno-missing-field-initializers
  $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>
  # GCC 12 reports members of std::variant alternatives as maybe uninitialized after inlining.
  $<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
