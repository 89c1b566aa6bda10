// DiagnoseTls: why a server cannot be spoken to, where that has to do with TLS.
//
// gRPC says no more than that a connection has failed. This shakes hands once more, as gRPC does,
// and looks at each step. It decides nothing: whom to trust is gRPC's to say.
#ifndef PANDO_CLIENTS_CLI_TLS_DIAGNOSIS_H_
#define PANDO_CLIENTS_CLI_TLS_DIAGNOSIS_H_

#include <chrono>
#include <string>

#include "cli/tls/options.h"

namespace pando::cli {

// A sentence that names the server and says what to do; "" if nothing of TLS is wrong, or nothing
// was heard within `patience`.
std::string DiagnoseTls(const std::string& endpoint, const TlsOptions& options,
                        std::chrono::milliseconds patience);

}  // namespace pando::cli

#endif  // PANDO_CLIENTS_CLI_TLS_DIAGNOSIS_H_
