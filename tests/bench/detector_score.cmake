# How good the detectors are: bin/tidegate-detector-score.
find_package(nlohmann_json REQUIRED)
tidegate_bench(tidegate-detector-score
  SOURCES contender.cpp detector_score.cpp labelled_series.cpp score.cpp series_files.cpp shift_delay.cpp
  LINK tidegate_rules nlohmann_json::nlohmann_json)
