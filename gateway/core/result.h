#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace tidegate {

enum class Errc {
  invalid,  ///< the caller's input or configuration is wrong: trying again does not help
  not_found,
  conflict,     ///< it exists already, or is held by another process
  unavailable,  ///< the far end cannot be reached now: try again
  interrupted,  ///< the far end was there and went away in the middle of it: what was under way may have arrived
  timed_out,
  full,     ///< a bound was reached: disk, quota, number
  io,       ///< the operating system or the storage failed
  corrupt,  ///< stored bytes are not what was written
  stopped   ///< asked to stop before it was done
};

/// Expected failure: a code for the program, and a sentence for a person that says what, where and what to do next.
struct Error {
  Errc code;
  std::string text;
};

/// std::expected of C++23, by its polyfill.
template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

template <class... Args>
tl::unexpected<Error> fail(Errc code, fmt::format_string<Args...> format, Args&&... args) {
  return tl::unexpected<Error>(Error{code, fmt::format(format, std::forward<Args>(args)...)});
}
inline tl::unexpected<Error> fail(Error error) { return tl::unexpected<Error>(std::move(error)); }

}  // namespace tidegate
