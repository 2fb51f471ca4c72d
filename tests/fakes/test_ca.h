// A certificate authority of a cluster, for what only reads it: its key is lost.
#pragma once

namespace connect_ha {

inline constexpr char kTestCa[] = R"(-----BEGIN CERTIFICATE-----
MIIBkTCCATegAwIBAgIUAjSynvFB0XKnsxgHfF/UHx2hdgcwCgYIKoZIzj0EAwIw
HTEbMBkGA1UEAwwSYSBjbHVzdGVyIG9mIHRlc3RzMCAXDTI2MTEyOTEwMjYxNVoY
DzIxMjYxMTA1MTAyNjE1WjAdMRswGQYDVQQDDBJhIGNsdXN0ZXIgb2YgdGVzdHMw
WTATBgcqhkjOPQIBBggqhkjOPQMBBwNCAASTExeaTokGOVl3wQyh+k3y/A6btmmv
0Ge/ylkGHiqAfb49CFYX32k3HTlcKROvkomCet13O9dDADyBlWqBRTJDo1MwUTAd
BgNVHQ4EFgQUPWQLC8jJBNkWiGPSZbwp/NfQTtEwHwYDVR0jBBgwFoAUPWQLC8jJ
BNkWiGPSZbwp/NfQTtEwDwYDVR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNIADBF
AiEAgtO5AkdpBKX4HErhBtpj6Wh9uWJLXhbwp4I461w5LdoCIGRKj2y2/sbmknA7
621DGeUl5pij9YbWZ+IiXzyZZnFU
-----END CERTIFICATE-----
)";
// Another certificate of the same key.
inline constexpr char kTestCaMadeAnew[] = R"(-----BEGIN CERTIFICATE-----
MIIBfjCCASWgAwIBAgIUW2efnvNiC7BiQsBd/a/2qOVTC9owCgYIKoZIzj0EAwIw
FDESMBAGA1UEAwwJbWFkZSBhbmV3MCAXDTI2MTEyOTEwMjYxNVoYDzIxMjYxMTA1
MTAyNjE1WjAUMRIwEAYDVQQDDAltYWRlIGFuZXcwWTATBgcqhkjOPQIBBggqhkjO
PQMBBwNCAASTExeaTokGOVl3wQyh+k3y/A6btmmv0Ge/ylkGHiqAfb49CFYX32k3
HTlcKROvkomCet13O9dDADyBlWqBRTJDo1MwUTAdBgNVHQ4EFgQUPWQLC8jJBNkW
iGPSZbwp/NfQTtEwHwYDVR0jBBgwFoAUPWQLC8jJBNkWiGPSZbwp/NfQTtEwDwYD
VR0TAQH/BAUwAwEB/zAKBggqhkjOPQQDAgNHADBEAiBigWovDoCBcXbfZL2FCKj+
S7mHlnkBjy2WmBHI88+V+AIgKhjluRcuBweVIxOK5eVpZXLMgyYLt3neoRvUi4Rh
BTM=
-----END CERTIFICATE-----
)";
inline constexpr char kTestClusterId[] = "7935e271d30ebbf1";

}  // namespace connect_ha
