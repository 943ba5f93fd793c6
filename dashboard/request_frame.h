#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tidegate::dashboard {

struct RequestLimits {
  std::size_t request_line = 4096;
  std::size_t header_line = 8192;
  std::size_t headers = 64;
  std::size_t head = 65'536;
  std::size_t body = 65'536;
  std::size_t samples = 1u << 20;  ///< of a body to a path that takes samples, which may come in chunks
  bool (*takes_samples)(std::string_view path) = nullptr;
};

/// Where one HTTP/1.1 request ends in a stream of bytes, found before anything is parsed, so that a limit costs its
/// peer and not a worker. Stricter than RFC 9112 where leniency lets two parsers disagree: CRLF line ends only, no
/// control characters, no folded headers, at most one Content-Length, no Transfer-Encoding (411) but chunks of samples.
struct RequestFrame {
  enum class State { incomplete, complete, refused };
  State state = State::incomplete;
  std::size_t head_bytes = 0;     ///< with the empty line
  std::size_t body_bytes = 0;     ///< while it comes in chunks, of those that are joined
  bool chunked = false;           ///< until join_chunks() is at its end
  bool expects_continue = false;  ///< the peer waits for "100 Continue" before it sends the body
  std::string head;               ///< as handed on: without Range and Expect, which are settled here
  int status = 0;                 ///< of a refusal
  std::string_view why;           ///< of a refusal, a sentence

  enum class ChunkPart { size, data, end_of_data, end_of_body };
  ChunkPart expects = ChunkPart::size;
  std::size_t chunk_left = 0;
};

/// `searched` is kept between calls on the same growing buffer (start with 0), so that a peer that sends byte by byte
/// costs no more than one that does not. State::complete means that the head is; the body may still be on its way.
RequestFrame frame_request(std::string_view bytes, std::size_t& searched, const RequestLimits& limits = {});

/// Takes the chunks' own bytes out of what has come of a body, in place; call it again when more has. At the end the
/// frame is that of a body that came with its length. Strict too: no extensions, no trailers.
RequestFrame::State join_chunks(std::string& bytes, RequestFrame& frame, const RequestLimits& limits);

/// The path of a framed request's target, without its query; for choosing a lane, not for routing.
std::string_view target_path(std::string_view head);

}  // namespace tidegate::dashboard
