#pragma once

#include <string>

#include "gateway/config/node.h"
#include "gateway/config/schema.h"

namespace tidegate::config {

/// TLS of a connection that the gateway makes. Files are PEM.
struct ClientTls {
  std::string ca;           ///< empty: the system's authorities
  std::string certificate;  ///< the gateway's own, with `key`
  std::string key;
  std::string key_password;
  bool verify = true;  ///< the peer's certificate: its chain and its host name
};

/// The field `tls` of a section whose peer is a "broker", a "server"; `doc` says when it applies.
Shape::Field client_tls_field(const std::string& doc, const std::string& peer);
/// Of a section checked against it, which may be without. Problems: files that cannot be read, a certificate without
/// its key.
ClientTls read_client_tls(const Node& section, Problems& problems);

}  // namespace tidegate::config
