# How fast rules are tried on what is stored: bin/tidegate-bench-backtest.
tidegate_bench(tidegate-bench-backtest SOURCES backtest_bench.cpp LINK tidegate_test_support tidegate_tools)
target_compile_definitions(tidegate-bench-backtest PRIVATE TIDEGATE_PROGRAM="$<TARGET_FILE:tidegate>")
add_dependencies(tidegate-bench-backtest tidegate)
