tidegate_fuzz(fuzz_rollup SOURCES ${CMAKE_CURRENT_LIST_DIR}/fuzz_rollup.cpp LINK tidegate_journal)
tidegate_fuzz(fuzz_batch SOURCES ${CMAKE_CURRENT_LIST_DIR}/fuzz_batch.cpp LINK tidegate_journal)
tidegate_fuzz(fuzz_event_json SOURCES ${CMAKE_CURRENT_LIST_DIR}/fuzz_event_json.cpp LINK tidegate_journal)
