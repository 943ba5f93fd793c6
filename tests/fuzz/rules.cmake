tidegate_fuzz(fuzz_rules SOURCES fuzz_rules.cpp LINK tidegate_rules)
