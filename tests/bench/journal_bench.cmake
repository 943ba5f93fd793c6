find_package(SQLite3 REQUIRED)
find_package(PkgConfig REQUIRED)
tidegate_pkg(bench_zstd libzstd)
tidegate_bench(journal_bench
  SOURCES ${CMAKE_CURRENT_LIST_DIR}/journal_bench.cpp
  LINK tidegate_journal SQLite::SQLite3 PkgConfig::bench_zstd benchmark::benchmark)
