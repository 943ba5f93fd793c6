tidegate_bench(expression_bench SOURCES expression_bench.cpp LINK tidegate_rules benchmark::benchmark)
