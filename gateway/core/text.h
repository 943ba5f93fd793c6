#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tidegate {

/// The candidate that a user probably meant, by edit distance (at most a third of the length, at least 1); empty where
/// none is near.
std::string_view nearest(std::string_view word, std::span<const std::string> candidates);
/// " (did you mean 'x'?)" or, without a near one, "".
std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);

bool valid_utf8(std::string_view);
/// Control characters, CR and LF as \xNN; invalid UTF-8 bytes likewise: safe for a log line, a header, a message.
std::string printable(std::string_view, std::size_t max_bytes = 256);

/// The shortest text that reads back as the same double ("20.5", "1e+300"); "nan" and "inf" where it is one.
std::string number_text(double value);
/// For people: at most `digits` significant digits, no exponent for ordinary sizes ("93.26").
std::string short_number(double value, int digits = 4);
/// The whole text as a finite double, in C locale notation ("20.5", "-3", "1e3"); spaces around it are allowed.
bool parse_number(std::string_view text, double& value);

std::vector<std::string_view> split(std::string_view text, char separator);
std::string_view trim(std::string_view text);

}  // namespace tidegate
