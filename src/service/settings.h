// SPDX-License-Identifier: Apache-2.0
// Every setting of the service, described once: for the command line (--NAME) and for the configuration file (NAME =).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "service/options.h"

namespace larod::service {

// What a setting may be: a whole number of a range, one of some words, or any text that is not empty
// (and could be an argument: without zero bytes).
struct NumberRange {
    int64_t min;
    int64_t max;
};
using Words = std::span<const std::string_view>;
struct AnyText {};
using SettingDomain = std::variant<NumberRange, Words, AnyText>;

// A number for a NumberRange, a text for the others.
using SettingValue = std::variant<int64_t, std::string>;

struct Setting {
    std::string_view name;
    std::string_view placeholder;  // of the value, in --help; words stand for themselves
    std::string_view description;
    SettingDomain domain;
    SettingValue (*get)(const Options& options);
    // Of a value that fits. Throws Error where it names something that can't be used; `options` is unchanged then.
    void (*set)(Options& options, const SettingValue& value);
};

[[nodiscard]] std::span<const Setting> settings();

[[nodiscard]] bool fits(const Setting& setting, const SettingValue& value) noexcept;

// For messages: "a whole number from 1 to 1024".
[[nodiscard]] std::string expectation(const Setting& setting);

[[nodiscard]] std::string valueText(const SettingValue& value);

}  // namespace larod::service
