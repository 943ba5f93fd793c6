#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "gateway/core/result.h"
#include "gateway/core/types.h"

namespace tidegate::drivers::coap {

struct Access {
  std::string host;
  int port = 5683;
  bool secure = false;                       ///< DTLS with a key that both know
  std::string identity{}, key{};             ///< of `secure`
  Micros timeout = std::chrono::seconds(5);  ///< of a request with its repetitions
};

struct Resource {
  std::string path, query;
  bool observe = false;
};

/// What came for a resource: an answer, or a change of one that is observed.
struct Response {
  std::size_t resource = 0;
  unsigned code = 0;    ///< 205 is 2.05 Content
  unsigned format = 0;  ///< the content format's number; 0: text, or not said
  std::string payload{};
};

constexpr std::size_t kMostPayload = 4096;

/// A line to one CoAP server. One thread at a time; each has libcoap's state for itself. Prints nothing.
class Client {
 public:
  Client(Access access, std::vector<Resource> resources);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  /// Resolves the host and makes a socket; nothing is sent yet, but of DTLS.
  Status open();
  /// Asks for a resource; of one that is observed, for its changes too. The answer comes by process().
  Status ask(std::size_t resource);
  /// Waits for at most so long, and takes what has come. An error: the server does not answer, or refuses the key.
  Status process(Micros at_most, std::vector<Response>& out);

 private:
  class Session;
  const Access access_;
  const std::vector<Resource> resources_;
  std::unique_ptr<Session> session_;
};

}  // namespace tidegate::drivers::coap
