#pragma once

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "connect_ha/v1/node_service.grpc.pb.h"
#include "coordinator/identity/init.h"

namespace connect_ha {

// At the port where nodes and admins call there is none of the methods that are new.
class OlderCoordinator {
 public:
  explicit OlderCoordinator(const std::string& dir) {
    const auto files = LoadCoordinatorFiles(dir);
    EXPECT_TRUE(files.ok()) << files.status();
    grpc::SslServerCredentialsOptions tls(
        GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
    tls.pem_root_certs = files->ca;
    tls.pem_key_cert_pairs.push_back({files->key, files->certificate});
    grpc::ServerBuilder builder;
    builder.AddListeningPort("localhost:0", grpc::SslServerCredentials(tls), &port_);
    builder.RegisterService(&nodes_);
    server_ = builder.BuildAndStart();
    EXPECT_NE(server_, nullptr);
  }

  std::string address() const { return "localhost:" + std::to_string(port_); }

 private:
  v1::NodeService::Service nodes_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace connect_ha
