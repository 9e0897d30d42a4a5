// SPDX-License-Identifier: Apache-2.0
#include "service/config_file.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <sstream>
#include <vector>

// The library's own shared object is part of a development package only.
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include "base/error.h"
#include "base/unique_fd.h"
#include "service/settings.h"

namespace larod::service {
namespace {

constexpr std::string_view kAliasTable = "alias";

std::string placeText(const std::string& path, const toml::source_region& place) {
    return fmt::format("{}:{}:{}", path, place.begin.line, place.begin.column);
}

template <typename... Args>
[[noreturn]] void fail(const std::string& path, const toml::source_region& place, fmt::format_string<Args...> format,
                       Args&&... args) {
    throw Error(EINVAL, "{}: {}", placeText(path, place), fmt::format(format, std::forward<Args>(args)...));
}

struct Entry {
    const toml::key* key;
    const toml::node* value;
};

// As they stand in the file; the library sorts them by name.
std::vector<Entry> entriesInOrder(const toml::table& table) {
    std::vector<Entry> entries;
    for (const auto& [key, value] : table) {
        entries.push_back({&key, &value});
    }
    std::ranges::sort(entries,
                      [](const Entry& a, const Entry& b) { return a.key->source().begin < b.key->source().begin; });
    return entries;
}

// The value as it stands in the file.
std::string nodeText(const toml::node& node) {
    if (node.is_table()) {
        return "a table";
    }
    if (node.is_array()) {
        return "an array";
    }
    std::ostringstream text;
    node.visit([&text](const auto& value) { text << value; });
    return text.str();
}

const Setting& findSetting(const std::string& path, const toml::key& key) {
    const auto found = std::ranges::find(settings(), key.str(), &Setting::name);
    if (found == settings().end()) {
        std::vector<std::string_view> names;
        std::ranges::transform(settings(), std::back_inserter(names), &Setting::name);
        fail(path, key.source(), "there is no setting '{}'; there are {}, and the table [{}]", key.str(),
             fmt::join(names, ", "), kAliasTable);
    }
    return *found;
}

void applySetting(const std::string& path, const toml::key& key, const toml::node& node, Options& options) {
    const Setting& setting = findSetting(path, key);
    SettingValue value;
    bool usable = false;
    if (const auto* number = node.as_integer()) {
        value = number->get();
        usable = fits(setting, value);
    } else if (const auto* text = node.as_string()) {
        value = text->get();
        usable = fits(setting, value);
    }
    if (!usable) {
        fail(path, node.source(), "{}: expected {}, got {}", setting.name, expectation(setting), nodeText(node));
    }
    try {
        setting.set(options, value);
    } catch (const Error& error) {
        fail(path, node.source(), "{}: {}", setting.name, error.text());
    }
}

std::vector<device::Alias> readAliases(const std::string& path, const toml::node& node) {
    const toml::table* const table = node.as_table();
    if (table == nullptr) {
        fail(path, node.source(), "{}: expected a table of lines NAME = \"DEVICE\", got {}", kAliasTable,
             nodeText(node));
    }
    std::vector<device::Alias> aliases;
    for (const Entry& entry : entriesInOrder(*table)) {
        const auto* const target = entry.value->as_string();
        if (target == nullptr) {
            fail(path, entry.value->source(), "alias '{}': expected the name of a device, got {}", entry.key->str(),
                 nodeText(*entry.value));
        }
        aliases.push_back({std::string(entry.key->str()), target->get(), placeText(path, entry.key->source())});
    }
    return aliases;
}

}  // namespace

std::string readConfigFile(const std::string& path) {
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 4096> buffer;
    ssize_t got = fd ? 1 : -1;
    while (got > 0) {
        got = ::read(fd.get(), buffer.data(), buffer.size());
        if (got > 0) {
            text.append(buffer.data(), static_cast<size_t>(got));
        } else if (got < 0 && errno == EINTR) {
            got = 1;
        }
        if (text.size() > kMaxConfigBytes) {
            throw Error(EFBIG, "the configuration file '{}' is larger than {} bytes", path, kMaxConfigBytes);
        }
    }
    if (got < 0) {
        const int reason = errno;
        throw Error(reason, "can't read the configuration file '{}': {}", path, errnoText(reason));
    }
    return text;
}

void applyConfig(const std::string& path, const std::string& text, Options& options) {
    toml::table table;
    try {
        table = toml::parse(text);
    } catch (const toml::parse_error& error) {
        fail(path, error.source(), "this is no TOML: {}", error.description());
    }
    Options changed = options;
    for (const Entry& entry : entriesInOrder(table)) {
        if (entry.key->str() == kAliasTable) {
            changed.devices.aliases = readAliases(path, *entry.value);
        } else {
            applySetting(path, *entry.key, *entry.value, changed);
        }
    }
    options = std::move(changed);
}

}  // namespace larod::service
