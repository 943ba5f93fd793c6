# Many viewers of the live stream: bin/tidegate-bench-viewers.
find_package(CLI11 REQUIRED)
tidegate_bench(tidegate-bench-viewers SOURCES viewers.cpp viewer_crowd.cpp LINK tidegate_test_support CLI11::CLI11)
target_compile_definitions(tidegate-bench-viewers PRIVATE TIDEGATE_PROGRAM="$<TARGET_FILE:tidegate>")
add_dependencies(tidegate-bench-viewers tidegate)
