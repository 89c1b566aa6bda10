# pando_module(NAME [THREADS] [DEPS module...] [LIBS target...] [TEST_DEPS module...] [TEST_LIBS target...])
#
# One library per folder of services/. A module's only include root of its own is a folder with one
# link in it, `<NAME>` -> services/<NAME>, so `#include "raft/raft.h"` compiles only in a module
# that lists raft in DEPS (or in whose DEPS a header needs it). An undeclared include is a compile
# error; tests/graph proves it. Sources and tests are globbed: a hand-kept list loses tests.
#
# `*_test.cc`, and what lies in testing/, become the test binary <NAME>_test, which may see
# TEST_DEPS too;
# `*_bench.cc` become <NAME>_bench, on Google Benchmark.
#
# THREADS: its tests run several threads. They are labelled `threads`, and the target `threads` builds
# them: in the others there is nothing for a thread sanitizer to find.
find_package(GTest REQUIRED)
find_package(benchmark)
include(GoogleTest)
add_custom_target(threads)

function(pando_module NAME)
  cmake_parse_arguments(ARG "THREADS" "" "DEPS;LIBS;TEST_DEPS;TEST_LIBS" ${ARGN})
  set(source_dir ${CMAKE_CURRENT_SOURCE_DIR}/${NAME})
  set(include_root ${CMAKE_BINARY_DIR}/include/${NAME})
  file(MAKE_DIRECTORY ${include_root})
  file(CREATE_LINK ${source_dir} ${include_root}/${NAME} SYMBOLIC)

  file(GLOB sources CONFIGURE_DEPENDS ${source_dir}/*.cc)
  file(GLOB tests CONFIGURE_DEPENDS ${source_dir}/*_test.cc ${source_dir}/testing/*.cc)
  file(GLOB benches CONFIGURE_DEPENDS ${source_dir}/*_bench.cc)
  # main.cc is linked into a binary by whoever owns it; in the library it would meet gtest's main.
  list(REMOVE_ITEM sources ${tests} ${benches} ${source_dir}/main.cc)

  list(TRANSFORM ARG_DEPS PREPEND pando_)
  list(TRANSFORM ARG_TEST_DEPS PREPEND pando_)
  if(sources)
    add_library(pando_${NAME} STATIC ${sources})
    target_include_directories(pando_${NAME} PUBLIC ${include_root})
    target_link_libraries(pando_${NAME} PUBLIC ${ARG_DEPS} ${ARG_LIBS} PRIVATE pando_warnings)
  else()
    add_library(pando_${NAME} INTERFACE)
    target_include_directories(pando_${NAME} INTERFACE ${include_root})
    target_link_libraries(pando_${NAME} INTERFACE ${ARG_DEPS} ${ARG_LIBS})
  endif()

  if(tests)
    add_executable(${NAME}_test ${tests})
    target_link_libraries(${NAME}_test PRIVATE pando_${NAME} ${ARG_TEST_DEPS} ${ARG_TEST_LIBS}
      pando_warnings GTest::gtest GTest::gmock GTest::gtest_main)
    target_compile_definitions(${NAME}_test PRIVATE PANDO_TESTDATA="${source_dir}/testdata")
    add_test(NAME ${NAME} COMMAND ${NAME}_test --gtest_brief=1)
    set_tests_properties(${NAME} PROPERTIES LABELS unit TIMEOUT 300)
    if(ARG_THREADS)
      set_property(TEST ${NAME} APPEND PROPERTY LABELS threads)
      add_dependencies(threads ${NAME}_test)
    endif()
  endif()
  if(benches AND benchmark_FOUND)
    add_executable(${NAME}_bench EXCLUDE_FROM_ALL ${benches})
    target_link_libraries(${NAME}_bench PRIVATE pando_${NAME} ${ARG_TEST_DEPS}
      pando_warnings benchmark::benchmark_main)
  endif()
endfunction()
