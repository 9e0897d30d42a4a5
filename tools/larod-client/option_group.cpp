// SPDX-License-Identifier: Apache-2.0
// Options that stand together in the help text.
#include "larod-client/option_group.h"

#include <fmt/format.h>

#include <charconv>
#include <sstream>
#include <system_error>

#include "larod-client/tool_error.h"

namespace larod::tools {

namespace {

constexpr size_t kHelpWidth = 100 - kHelpIndent;

}  // namespace

std::string wrapped(const std::string& text, size_t width) {
    std::istringstream words(text);
    std::string lines;
    size_t column = 0;
    for (std::string word; words >> word; column += word.size()) {
        if (column > 0 && column + 1 + word.size() > width) {
            lines += '\n';
            column = 0;
        } else if (column > 0) {
            lines += ' ';
            ++column;
        }
        lines += word;
    }
    return lines;
}

// CLI11 itself would wrap -1 around, clip what is too large and read 010 as 8.
uint64_t OptionGroup::parseNumber(const std::string& text, uint64_t least, uint64_t most) {
    uint64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc{} || rest != end || number < least || number > most) {
        throw UsageError(fmt::format("'{}' is not a whole number from {} to {}", text, least, most));
    }
    return number;
}

CLI::Option* OptionGroup::flag(const std::string& names, bool& target, const std::string& help) {
    return finish(app_.add_flag(names, target, wrapped(help, kHelpWidth)));
}

CLI::Option* OptionGroup::callback(const std::string& names, const std::function<void()>& action,
                                   const std::string& help) {
    return finish(app_.add_flag_callback(names, action, wrapped(help, kHelpWidth)));
}

CLI::Option* OptionGroup::text(const std::string& names, std::string& target, const std::string& typeName,
                               const std::string& help) {
    return finish(app_.add_option(names, target, wrapped(help, kHelpWidth))->type_name(typeName)->take_last());
}

CLI::Option* OptionGroup::texts(const std::string& names, std::vector<std::string>& target, const std::string& typeName,
                                const std::string& help) {
    return finish(app_.add_option(names, target, wrapped(help, kHelpWidth))
                      ->type_name(typeName)
                      ->allow_extra_args(false)
                      ->take_all());
}

CLI::Option* OptionGroup::value(const std::string& names, const std::string& typeName, const std::string& help,
                                const std::function<void(const std::string&)>& take) {
    const auto takeNamed = [take, names](const std::string& text) {
        try {
            take(text);
        } catch (const UsageError& error) {
            throw UsageError(fmt::format("{}: {}", names, error.what()));
        }
    };
    return finish(app_.add_option_function<std::string>(names, takeNamed, wrapped(help, kHelpWidth))
                      ->type_name(typeName)
                      ->take_last());
}

CLI::Option* OptionGroup::finish(CLI::Option* option) const {
    return option->group(title_);
}

}  // namespace larod::tools
