#include "agent/probes/database/verified_chain.h"

#include <openssl/ssl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "common/tls/openssl.h"

namespace connect_ha {
namespace {

// All but the server's own, unless it is its own authority; "" when it was not verified.
std::string AuthoritiesPem(const SSL* connection) {
  const STACK_OF(X509)* chain = SSL_get0_verified_chain(connection);
  if (chain == nullptr || SSL_get_verify_result(connection) != X509_V_OK) return "";
  const int count = sk_X509_num(chain);
  std::string pem;
  for (int i = count > 1 ? 1 : 0; i < count; ++i) pem += WriteCertificate(sk_X509_value(chain, i));
  return pem;
}

}  // namespace

std::string VerifiedChain::path() const {
  return file_.ok() ? absl::StrCat("/proc/self/fd/", file_.get()) : "";
}

void VerifiedChain::Keep(const ssl_st* connection) {
  Forget();
  const std::string pem = connection == nullptr ? "" : AuthoritiesPem(connection);
  if (pem.empty()) return;
  Fd file(memfd_create("verified-chain", MFD_CLOEXEC));
  if (!file.ok()) return;
  if (write(file.get(), pem.data(), pem.size()) != static_cast<ssize_t>(pem.size())) return;
  file_ = std::move(file);
}

}  // namespace connect_ha
