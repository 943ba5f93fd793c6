#pragma once

#include <string>
#include <string_view>

#include "gateway/core/result.h"

/// Passwords as OWASP's Password Storage Cheat Sheet has them: Argon2id (RFC 9106) with 19 MiB, two passes and one
/// lane, through libsodium. At most two are computed at once, so that many log-ins cost time and not memory. Any
/// thread.
namespace tidegate::access {

/// What is the matter with it as a password of `user`, in words, or empty. Twelve characters at least, 256 bytes at
/// most, none that everybody tries first; nothing is asked of what it is made of (NIST SP 800-63B).
std::string problem_of(std::string_view password, std::string_view user);

/// In libsodium's form, which has the salt and the costs in it. Errc::full: there is no memory for it.
Result<std::string> hash_of(std::string_view password);
/// Errc::full likewise: nobody knows then whether it does.
Result<bool> fits(std::string_view password, const std::string& hash);
/// Takes as long as fits(), of a user that there is not.
void fit_nobody(std::string_view password);

}  // namespace tidegate::access
