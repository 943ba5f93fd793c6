tidegate_pkg(MODBUS libmodbus)
tidegate_bench(bench_modbus SOURCES modbus_read.cpp modbus_server.cpp LINK tidegate_driver_modbus PkgConfig::MODBUS)
target_compile_definitions(bench_modbus PRIVATE TIDEGATE_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
