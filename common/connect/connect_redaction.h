// Secrets inside values that are not secret as a whole.
#pragma once

#include <string>
#include <string_view>

namespace connect_ha {

struct Redacted {
  std::string text;       // "***" in place of each secret
  std::string passwords;  // as written, each followed by a line feed; "" when there is none
};

// Masks what may be a secret, in any part of the value:
//   - of a URL, the password and, but for a database's, the user too: https://TOKEN@host and
//     https://TOKEN:x@host are logins. The same without a scheme, and where the value was cut off
//     before its @;
//   - a parameter or header whose name says so: password=, sslpassword=, api_key=, Token:;
//   - a private key.
// In doubt too much is masked: a blank, a slash or an @ does not end a password. Connect's
// placeholder {$} is none.
Redacted RedactPasswords(std::string_view value);

// The same for the value of a key with this name: one that is meant to be a URL may lack its
// scheme (TOKEN@host).
Redacted RedactConfigValue(std::string_view name, std::string_view value);

}  // namespace connect_ha
