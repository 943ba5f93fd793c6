# The program with real parts beside a bare Paho subscriber: bin/tidegate-bench-e2e.
find_package(PahoMqttCpp REQUIRED)
tidegate_bench(tidegate-bench-e2e
  SOURCES end_to_end.cpp bare_subscriber.cpp
  LINK tidegate_test_support PahoMqttCpp::paho-mqttpp3)
target_compile_definitions(tidegate-bench-e2e PRIVATE TIDEGATE_PROGRAM="$<TARGET_FILE:tidegate>")
add_dependencies(tidegate-bench-e2e tidegate)
