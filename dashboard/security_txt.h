#pragma once

#include <string>
#include <string_view>

#include "gateway/core/types.h"

namespace tidegate::dashboard {

/// What is wrong with a contact for who has found a weakness; "" where nothing is: a URI that begins with mailto:,
/// https:// or tel:.
std::string contact_problem(std::string_view contact);

/// /.well-known/security.txt as RFC 9116 has it. It says until when it may be believed: a year from the program's
/// release, for a gateway that nobody has updated in a year may be one that nobody looks after.
std::string security_txt(std::string_view contact, Timestamp released);

}  // namespace tidegate::dashboard
