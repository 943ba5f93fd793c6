tidegate_bench(history_bench SOURCES ${CMAKE_CURRENT_LIST_DIR}/history_bench.cpp LINK tidegate_journal)
