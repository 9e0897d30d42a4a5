// SPDX-License-Identifier: Apache-2.0
// Options that stand together in the help text.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace larod::tools {

// Adds options to `app`, which outlives it, under a title. Names are as CLI11 takes them: "-R,--rounds". Of an option
// with one value the last one counts. What is wrong is thrown as UsageError while the command line is parsed.
class OptionGroup {
  public:
    OptionGroup(CLI::App& app, std::string title) : app_(app), title_(std::move(title)) {}

    CLI::Option* flag(const std::string& names, bool& target, const std::string& help);

    // `action` is run once where the flag stands, however often.
    CLI::Option* callback(const std::string& names, const std::function<void()>& action, const std::string& help);

    CLI::Option* text(const std::string& names, std::string& target, const std::string& typeName,
                      const std::string& help);
    // One that may stand several times and takes exactly one argument each time.
    CLI::Option* texts(const std::string& names, std::vector<std::string>& target, const std::string& typeName,
                       const std::string& help);

    // Decimal digits and nothing else, from `least` to `most`.
    template <typename Target>
    CLI::Option* number(const std::string& names, Target& target, const std::string& help, uint64_t most = UINT64_MAX,
                        uint64_t least = 0) {
        return value(names, "NUMBER", help, [&target, least, most](const std::string& text) {
            target = static_cast<NumberOf<Target>>(parseNumber(text, least, most));
        });
    }

    // `take` gets the text; it throws UsageError, without the option's name, where that is wrong.
    CLI::Option* value(const std::string& names, const std::string& typeName, const std::string& help,
                       const std::function<void(const std::string&)>& take);

    static uint64_t parseNumber(const std::string& text, uint64_t least, uint64_t most);

  private:
    template <typename Target>
    struct Number {
        using Type = Target;
    };
    template <typename Target>
    struct Number<std::optional<Target>> {
        using Type = Target;
    };
    template <typename Target>
    using NumberOf = typename Number<Target>::Type;

    CLI::Option* finish(CLI::Option* option) const;

    CLI::App& app_;
    std::string title_;
};

// Texts of the help stand in the columns after these.
inline constexpr size_t kHelpIndent = 34;

// Lines of at most `width` characters, broken at blanks.
[[nodiscard]] std::string wrapped(const std::string& text, size_t width);

}  // namespace larod::tools
