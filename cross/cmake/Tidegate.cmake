# The build's vocabulary: one function a kind of target, and the flags that all of them share.

find_package(Threads REQUIRED)
find_package(PkgConfig REQUIRED)

if(NOT CMAKE_CXX_COMPILER_LAUNCHER)
  find_program(TIDEGATE_CCACHE ccache)
  if(TIDEGATE_CCACHE)
    # Two clones of the same source share what was compiled: no path of the clone is part of the key.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
                                    ${TIDEGATE_CCACHE})
  endif()
endif()

add_library(tidegate_flags INTERFACE)
target_include_directories(tidegate_flags INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(tidegate_flags INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 sees an overlapping copy in every optimised `"text" + std::string` (its bug 105651), and uninitialised members
  # in std::optional and std::variant (its bug 80635); the sanitizers and the analyzer look for real ones.
  # It also asks for every member in `Options{.port = 1}`, where the defaults are the point.
  target_compile_options(tidegate_flags INTERFACE -Wno-restrict -Wno-maybe-uninitialized
                         -Wno-missing-field-initializers)
else()
  target_compile_options(tidegate_flags INTERFACE -Wno-sign-conversion -Wno-missing-field-initializers)  # as GCC has them
endif()
if(TIDEGATE_WERROR)
  target_compile_options(tidegate_flags INTERFACE -Werror)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  # What tests/cross/check_hardening reads back from the program.
  target_compile_options(tidegate_flags INTERFACE -fstack-protector-strong -D_FORTIFY_SOURCE=3)
  if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|aarch64")
    target_compile_options(tidegate_flags INTERFACE -fstack-clash-protection)
  endif()
  target_link_options(tidegate_flags INTERFACE -pie -Wl,-z,relro,-z,now -Wl,--as-needed)
endif()
if(TIDEGATE_SANITIZE)
  target_compile_options(tidegate_flags INTERFACE -fsanitize=${TIDEGATE_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(tidegate_flags INTERFACE -fsanitize=${TIDEGATE_SANITIZE})
endif()
if(TIDEGATE_FUZZ)
  target_compile_options(tidegate_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

# tidegate_library(NAME SOURCES a.cpp ... LINK target ...): a row of the table "who may include whom" in
# docs/architecture.md. LINK is that row; what is not on it does not link.
function(tidegate_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC tidegate_flags ${ARG_LINK} PRIVATE ${ARG_PRIVATE})
endfunction()

# For a program that starts no thread, as tests/support/one_thread.cpp in it sees to: ThreadSanitizer has nothing to find
# there, so its build leaves the program out, and the function that calls this macro ends here.
macro(tidegate_one_thread name)
  target_link_libraries(${name} PRIVATE tidegate_one_thread)
  if(TIDEGATE_SANITIZE STREQUAL "thread")
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
    return()
  endif()
endmacro()

# What a test program is compiled with: it waits for peers and devices, and to make its own code fast took more time than
# that saved. The libraries in it stay as they are shipped, or as a sanitizer wants them.
if(TIDEGATE_SANITIZE AND CMAKE_CXX_COMPILER_ID MATCHES "Clang")
  set(TIDEGATE_TEST_FLAGS -O0)
elseif(NOT CMAKE_BUILD_TYPE STREQUAL "Debug")
  set(TIDEGATE_TEST_FLAGS -Og)
endif()

# tidegate_test(NAME [ONE_THREAD] SOURCES a.cpp ... LINK target ... LABELS quick): one GoogleTest program, its cases known
# to ctest.
function(tidegate_test name)
  cmake_parse_arguments(ARG "ONE_THREAD" "" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_compile_options(${name} PRIVATE ${TIDEGATE_TEST_FLAGS})
  target_link_libraries(${name} PRIVATE tidegate_flags ${ARG_LINK} GTest::gmock GTest::gtest GTest::gtest_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  if(ARG_ONE_THREAD)
    tidegate_one_thread(${name})
  endif()
  gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${ARG_LABELS}" TIMEOUT 300)
endfunction()

# Third-party headers are not ours to warn about: targets of find_package are SYSTEM already; this makes the same of
# pkg-config's.
function(tidegate_pkg name)
  pkg_check_modules(${name} REQUIRED IMPORTED_TARGET ${ARGN})
endfunction()

# tidegate_bench(NAME SOURCES a.cpp ... LINK target ...): a program that measures; never part of a test run's verdict.
function(tidegate_bench name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tidegate_flags ${ARG_LINK})
endfunction()

# tidegate_fuzz(NAME SOURCES a.cpp ... LINK target ...): one decoder under LLVMFuzzerTestOneInput. With TIDEGATE_FUZZ a
# libFuzzer program; without, a program that only replays its seeds. ctest replays tests/fuzz/corpus/NAME in every build.
function(tidegate_fuzz name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE tidegate_flags ${ARG_LINK})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/fuzz)
  set(replay ${PROJECT_SOURCE_DIR}/tests/fuzz/corpus/${name})
  if(TIDEGATE_FUZZ)
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    set(replay -runs=0 ${replay})
  else()
    target_sources(${name} PRIVATE ${PROJECT_SOURCE_DIR}/tests/fuzz/replay_main.cpp)
    tidegate_one_thread(${name})
  endif()
  add_test(NAME ${name}_corpus COMMAND ${name} ${replay})
  set_tests_properties(${name}_corpus PROPERTIES LABELS quick TIMEOUT 60)
endfunction()
