// SPDX-License-Identifier: Apache-2.0
// Lines of stdin where nobody types them.
#include <iostream>

#include "larod-client/line_source.h"

namespace larod::tools {

namespace {

class PlainLines : public LineSource {
  public:
    [[nodiscard]] std::optional<std::string> next(Prompt) override {
        std::string line;
        if (!std::getline(std::cin, line)) {
            return std::nullopt;
        }
        return line;
    }

    void remember(const std::string&) override {}
};

}  // namespace

std::unique_ptr<LineSource> makePlainLines() {
    return std::make_unique<PlainLines>();
}

}  // namespace larod::tools
