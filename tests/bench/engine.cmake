tidegate_bench(engine_bench SOURCES engine_bench.cpp LINK tidegate_rules benchmark::benchmark)
