#include <cstdio>

#include "gateway/config/schema.h"
#include "tests/gateway/config/sample_shape.h"

int main() { std::fputs(tidegate::config::json_schema(tidegate::config::sample_shape(), "Sample").c_str(), stdout); }
