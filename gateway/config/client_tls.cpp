#include "gateway/config/client_tls.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tidegate::config {
namespace {

/// A file that the user named; one that cannot be read is a problem.
std::string readable_file(const Node& tls, std::string_view key, Problems& problems) {
  if (!tls.has(key)) return "";
  const Node& node = tls[key];
  if (access(node.text.c_str(), R_OK) != 0) {
    problems.add(node.at, fmt::format("cannot read {}: {}", node.shown(), std::strerror(errno)));
  }
  return node.string();
}

}  // namespace

Shape::Field client_tls_field(const std::string& doc, const std::string& peer) {
  return optional(
      "tls",
      Shape::object(
          doc, {optional("ca", Shape::path(),
                         fmt::format("PEM file of the authority that signed the {}'s certificate. Missing: the "
                                     "system's authorities.",
                                     peer)),
                optional("certificate", Shape::path(),
                         fmt::format("PEM file of the gateway's own certificate, for {}s that ask for one.", peer)),
                optional("key", Shape::path(), "PEM file of its private key."),
                optional("key_password", Shape::secret(), "Password of the private key."),
                defaulted("verify", Shape::boolean(), "true",
                          fmt::format("Check the {0}'s certificate and host name. Without it anybody can pose as the "
                                      "{0}.",
                                      peer))}),
      "TLS: authority, client certificate.");
}

ClientTls read_client_tls(const Node& section, Problems& problems) {
  ClientTls tls;
  if (!section.has("tls")) return tls;
  const Node& node = section["tls"];
  tls.ca = readable_file(node, "ca", problems);
  tls.certificate = readable_file(node, "certificate", problems);
  tls.key = readable_file(node, "key", problems);
  if (node.has("key_password")) tls.key_password = node.string("key_password");
  tls.verify = node.boolean("verify");
  if (tls.certificate.empty() != tls.key.empty()) {
    problems.add(node.at, "a client certificate needs both 'certificate' and 'key'");
  }
  return tls;
}

}  // namespace tidegate::config
