// SPDX-License-Identifier: Apache-2.0
// A language in which numbers have a decimal comma, for the processes of a test.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <system_error>

#include "integration/tools/program.h"
#include "support/temp_dir.h"

namespace larod::test {

// German, which a machine need not have: it is made in a folder that exists as long as the object. Takes seconds.
class GermanLocale {
  public:
    // Throws where a process does not have commas with it.
    GermanLocale() {
        std::string complaint;
        try {
            complaint =
                runProgram({.arguments = {"localedef", "-i", "de_DE", "-f", "UTF-8", folder_.path() + "/" + kName},
                            .environment = {}})
                    .err;
        } catch (const std::system_error& error) {
            complaint = error.what();
        }
        const Outcome outcome =
            runProgram({.arguments = {"/usr/bin/printf", "%.2f", "1.5"}, .environment = environment()});
        if (outcome.out != "1,50") {
            throw std::runtime_error("expected 1,50 of printf in German, got '" + outcome.out +
                                     "'; localedef, whose data is in Debian's package locales, says: " + complaint);
        }
    }

    [[nodiscard]] std::map<std::string, std::string> environment() const {
        return {{"LOCPATH", folder_.path()}, {"LC_ALL", kName}};
    }

  private:
    static constexpr const char* kName = "de_DE.UTF-8";

    TempDir folder_;
};

}  // namespace larod::test
