tidegate_fuzz(fuzz_dbc SOURCES fuzz_dbc.cpp LINK tidegate_driver_can)
