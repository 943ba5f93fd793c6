# How even a plant is polled, 5,000 points at once: bin/tidegate-bench-plant.
tidegate_bench(tidegate-bench-plant SOURCES plant.cpp LINK tidegate_small_plant)
