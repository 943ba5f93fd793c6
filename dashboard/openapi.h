#pragma once

#include <string_view>

namespace tidegate::dashboard {

/// openapi.yaml, as this program has it.
std::string_view openapi_document();

}  // namespace tidegate::dashboard
