// SPDX-License-Identifier: Apache-2.0
// In place of line_editor.cpp, where the library is missing.
#include <stdexcept>

#include "larod-client/line_source.h"

namespace larod::tools {

bool hasLineEditor() noexcept {
    return false;
}

std::unique_ptr<LineSource> makeLineEditor(HistoryFile, Completer) {
    throw std::logic_error("this larod-client was built without line editing");
}

}  // namespace larod::tools
