#include "dashboard/self_signed.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <net/if.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <system_error>

#include "dashboard/fd.h"
#include "dashboard/guard.h"
#include "dashboard/openssl.h"
#include "gateway/core/clock.h"

namespace tidegate::dashboard {
namespace {

namespace fs = std::filesystem;
using openssl::Bio;

/// The clocks of browsers need not agree with ours.
constexpr Micros kBackdated = std::chrono::days(1);

tl::unexpected<Error> cannot(std::string_view what, const fs::path& path, int error = errno) {
  return fail(Errc::io, "{} cannot be {}: {}", path.string(), what, std::strerror(error));
}

/// The file is there whole, or as it was before.
Status write_whole(const fs::path& file, std::string_view text) {
  const fs::path partial = file.string() + ".partial";
  ::unlink(partial.c_str());
  {
    const Fd made(::open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR));
    if (!made) return cannot("made", partial);
    if (::write(made.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(made.get()) != 0) {
      return cannot("written", partial);
    }
  }
  if (::rename(partial.c_str(), file.c_str()) != 0) return cannot("replaced", file);
  const Fd folder(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!folder || ::fsync(folder.get()) != 0) return cannot("written", file.parent_path());
  return {};
}

std::string pem(const auto& write) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || write(bio.get()) != 1) return {};
  char* bytes = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &bytes);
  return {bytes, static_cast<std::size_t>(size)};
}

openssl::Key key_in(const fs::path& file) {
  const Bio bio(BIO_new_file(file.c_str(), "r"));
  if (!bio) return nullptr;
  return openssl::Key(PEM_read_bio_PrivateKey(
      bio.get(), nullptr, [](char*, int, int, void*) { return 0; }, nullptr));
}

/// The one that is there, or a new one.
Result<openssl::Key> have_key(const fs::path& file, std::vector<std::string>& told) {
  ERR_clear_error();
  struct stat there {};
  const bool exists = ::stat(file.c_str(), &there) == 0;
  if (exists && (there.st_mode & (S_IRWXG | S_IRWXO)) != 0) {
    if (::chmod(file.c_str(), S_IRUSR | S_IWUSR) != 0) return cannot("kept from others", file);
    told.push_back(
        fmt::format("{} could be read by others; it is for its owner alone now (0600). Who may have read it "
                    "can pass for this gateway: to have a new one, remove the file and restart",
                    file.string()));
  }
  if (openssl::Key key = key_in(file)) return key;
  if (exists) told.push_back(fmt::format("{} held no key; a new one was made", file.string()));
  openssl::Key key(EVP_EC_gen("P-256"));
  if (!key) return fail(Errc::io, "no key can be made: {}", openssl::reason());
  const std::string text = pem(
      [&](BIO* bio) { return PEM_write_bio_PKCS8PrivateKey(bio, key.get(), nullptr, nullptr, 0, nullptr, nullptr); });
  if (Status written = write_whole(file, text); !written) return fail(written.error());
  return key;
}

/// As X.509 has it. No time_t, which ends in 2038 on a small box.
std::string x509_time(Timestamp time) {
  const auto second = std::chrono::floor<std::chrono::seconds>(time);
  const auto day = std::chrono::floor<std::chrono::days>(second);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(second - day);
  return fmt::format("{:04}{:02}{:02}{:02}{:02}{:02}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count());
}

using Names = std::unique_ptr<GENERAL_NAMES, openssl::Freed<GENERAL_NAMES_free>>;

bool host_name(std::string_view name) {
  constexpr std::size_t kLongest = 253;
  return !name.empty() && name.size() <= kLongest && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_');
  });
}

void add_name(GENERAL_NAMES* names, const std::string& name) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  int size = 0;
  if (::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1) size = sizeof(in_addr);
  if (::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1) size = sizeof(in6_addr);
  if (size == 0 && !host_name(name)) return;
  GENERAL_NAME* entry = GENERAL_NAME_new();
  ASN1_STRING* value = ASN1_STRING_type_new(size > 0 ? V_ASN1_OCTET_STRING : V_ASN1_IA5STRING);
  if (size > 0) {
    ASN1_STRING_set(value, bytes.data(), size);
  } else {
    ASN1_STRING_set(value, name.data(), static_cast<int>(name.size()));
  }
  GENERAL_NAME_set0_value(entry, size > 0 ? GEN_IPADD : GEN_DNS, value);
  sk_GENERAL_NAME_push(names, entry);
}

/// An address in the one way of writing it; empty where no certificate can have the name.
std::string as_in_certificate(const std::string& name) {
  in6_addr address{};
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (::inet_pton(AF_INET6, name.c_str(), &address) != 1) return host_name(name) ? name : "";
  return ::inet_ntop(AF_INET6, &address, text.data(), text.size()) != nullptr ? text.data() : "";
}

bool add_extensions(X509* certificate, const std::vector<std::string>& names) {
  const Names san(GENERAL_NAMES_new());
  for (const std::string& name : names) add_name(san.get(), name);
  if (X509_add1_ext_i2d(certificate, NID_subject_alt_name, san.get(), 0, X509V3_ADD_DEFAULT) != 1) return false;
  // Of no authority: whoever trusts it trusts this gateway, and nothing that its key might sign.
  constexpr std::array<std::pair<int, const char*>, 3> kFixed = {{{NID_basic_constraints, "critical,CA:FALSE"},
                                                                  {NID_key_usage, "critical,digitalSignature"},
                                                                  {NID_ext_key_usage, "serverAuth"}}};
  return std::all_of(kFixed.begin(), kFixed.end(), [&](const auto& one) {
    const std::unique_ptr<X509_EXTENSION, openssl::Freed<X509_EXTENSION_free>> extension(
        X509V3_EXT_conf_nid(nullptr, nullptr, one.first, one.second));
    return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
  });
}

bool set_serial(X509* certificate) {
  std::array<unsigned char, 16> bytes{};
  if (RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) != 1) return false;
  bytes.front() = static_cast<unsigned char>((bytes.front() & 0x3f) | 0x40);  // positive, and of one length
  const std::unique_ptr<BIGNUM, openssl::Freed<BN_free>> number(
      BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool set_name(X509* certificate, const std::string& name) {
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto set = [&](const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.c_str()), -1, -1, 0) == 1;
  };
  return set("O", "Tidegate") && set("CN", name.substr(0, 64)) && X509_set_issuer_name(certificate, subject) == 1;
}

/// Empty where OpenSSL fails.
std::string make_certificate(EVP_PKEY* key, const std::vector<std::string>& names, Timestamp now) {
  const openssl::Certificate certificate(X509_new());
  if (!certificate) return {};
  X509* made = certificate.get();
  const Timestamp from = now - kBackdated;
  const bool good =
      X509_set_version(made, X509_VERSION_3) == 1 && set_serial(made) &&
      ASN1_TIME_set_string_X509(X509_getm_notBefore(made), x509_time(from).c_str()) == 1 &&
      ASN1_TIME_set_string_X509(X509_getm_notAfter(made), x509_time(from + kSelfSignedLasts).c_str()) == 1 &&
      set_name(made, names.empty() ? "tidegate" : names.front()) && X509_set_pubkey(made, key) == 1 &&
      add_extensions(made, names) && X509_sign(made, key, EVP_sha256()) > 0;
  return good ? pem([&](BIO* bio) { return PEM_write_bio_X509(bio, made); }) : "";
}

Status open_folder(const fs::path& folder) {
  if (::mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST) return cannot("made", folder);
  if (::chmod(folder.c_str(), S_IRWXU) != 0) return cannot("kept from others", folder);
  return {};
}

// Not getifaddrs(): the service may open no netlink socket.
void add_ipv4(std::vector<std::string>& names) {
  std::array<ifreq, 64> interfaces{};
  ifconf found{};
  found.ifc_len = sizeof interfaces;
  found.ifc_req = interfaces.data();
  const Fd any(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!any || ::ioctl(any.get(), SIOCGIFCONF, &found) != 0) return;
  for (std::size_t i = 0; i < static_cast<std::size_t>(found.ifc_len) / sizeof(ifreq); ++i) {
    sockaddr_in address{};
    std::memcpy(&address, &interfaces.at(i).ifr_addr, sizeof address);
    std::array<char, INET_ADDRSTRLEN> text{};
    if (::inet_ntop(AF_INET, &address.sin_addr, text.data(), text.size()) != nullptr) names.emplace_back(text.data());
  }
}

/// A line: the address in hexadecimal, interface, length of the prefix, scope, flags, name of the interface.
void add_ipv6(std::vector<std::string>& names) {
  constexpr unsigned kLink = 0x20;       // no browser names an address of a link alone
  constexpr unsigned kTemporary = 0x01;  // of a day, for this machine's own calls
  std::ifstream table("/proc/net/if_inet6");
  for (std::string digits, index, prefix, scope, flags, name;
       table >> digits >> index >> prefix >> scope >> flags >> name;) {
    in6_addr address{};
    for (std::size_t i = 0; i < sizeof address && digits.size() == 2 * sizeof address; ++i) {
      address.s6_addr[i] = static_cast<unsigned char>(std::stoul(digits.substr(2 * i, 2), nullptr, 16));
    }
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (std::stoul(scope, nullptr, 16) == kLink || (std::stoul(flags, nullptr, 16) & kTemporary) != 0) continue;
    if (::inet_ntop(AF_INET6, &address, text.data(), text.size()) != nullptr) names.emplace_back(text.data());
  }
}

}  // namespace

bool due(const Tls& tls, std::optional<Timestamp> now) {
  return now && (*now < tls.from() || *now >= tls.until() - kSelfSignedRenewed);
}

std::vector<std::string> lacking(const Tls& tls, const std::vector<std::string>& names) {
  std::vector<std::string> lacks;
  const auto& has = tls.names();
  for (const std::string& name : names) {
    const std::string written = as_in_certificate(name);
    if (!written.empty() && std::find(has.begin(), has.end(), written) == has.end()) lacks.push_back(written);
  }
  return lacks;
}

std::vector<std::string> names_of_machine() {
  std::vector<std::string> names = machine_names();
  if (!names.empty()) names.push_back(names.back() + ".local");
  names.emplace_back("localhost");
  add_ipv4(names);
  add_ipv6(names);
  return names;
}

// The key first: a certificate without its key is none.
Result<SelfSigned> self_signed(const fs::path& folder, const std::vector<std::string>& names,
                               std::optional<Timestamp> now, const std::vector<std::string>& wanted) {
  SelfSigned made;
  const Tls::Files files{folder / "certificate.pem", folder / "key.pem"};
  if (Status opened = open_folder(folder); !opened) return fail(opened.error());
  const auto key = have_key(files.key, made.told);
  if (!key) return fail(key.error());
  auto there = Tls::load(files);
  if (there && !due(**there, now) && lacking(**there, wanted).empty()) {
    made.tls = std::move(*there);
    return made;
  }
  std::vector<std::string> all = names, distinct;
  if (there && !wanted.empty()) all.insert(all.end(), (*there)->names().begin(), (*there)->names().end());
  for (const std::string& name : all) {
    const bool known = std::find(distinct.begin(), distinct.end(), name) != distinct.end();
    if (!known && distinct.size() < kMostNames) distinct.push_back(name);
  }
  const std::string text = make_certificate(key->get(), distinct, std::max(now.value_or(kClockIsSet), kClockIsSet));
  if (text.empty()) return fail(Errc::io, "no certificate can be made: {}", openssl::reason());
  if (Status written = write_whole(files.certificate, text); !written) {
    if (!there) return fail(written.error());
    made.told.push_back(fmt::format("the certificate is to be renewed, and cannot be: {}", written.error().text));
    made.tls = std::move(*there);
    return made;
  }
  auto loaded = Tls::load(files);
  if (!loaded) return fail(loaded.error());
  made.tls = std::move(*loaded);
  return made;
}

}  // namespace tidegate::dashboard
