// Passwords inside values that are not secret as a whole.
#pragma once

#include <string>
#include <string_view>

namespace connect_ha {

struct Redacted {
  std::string text;       // "***" in place of each password
  std::string passwords;  // as written, each followed by a line feed; "" when there is none
};

// A password of a URL (scheme://user:PASSWORD@host, in any part of the value) or of a parameter
// whose name says so (password=, sslpassword=, secret=, token=). In doubt too much is taken for a
// password. Connect's placeholder {$} is none.
Redacted RedactPasswords(std::string_view value);

}  // namespace connect_ha
