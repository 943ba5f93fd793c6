#pragma once

#include <string>
#include <string_view>

/// What only one side knows. Any thread.
namespace tidegate::access {

/// 256 random bits, 43 characters of base64url.
std::string random_secret();
/// What is kept of a secret: nobody gets from it to the secret, and equal digests are equal secrets.
std::string digest_of(std::string_view secret);
/// Eight characters to be read off a label and typed, "7KMQ-2XFD": 40 random bits in an alphabet without 0, O, 1, I.
std::string random_code();
/// The same in the time that any takes. A code as it was typed: lower case will do, and the dash may be missing.
bool is_code(std::string_view typed, std::string_view code);

}  // namespace tidegate::access
