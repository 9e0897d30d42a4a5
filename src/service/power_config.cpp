// SPDX-License-Identifier: Apache-2.0
#include "service/power_config.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace larod::service {
namespace {

using Json = nlohmann::json;

constexpr std::array<std::string_view, 5> kUnits = {"ace", "cpu", "dlpu", "gpu", "tpu"};

bool isUnit(std::string_view name) {
    return std::find(kUnits.begin(), kUnits.end(), name) != kUnits.end();
}

// Walks through a parsed file; a place is a JSON pointer (RFC 6901).
class Reader {
  public:
    explicit Reader(const std::string& source) : source_(source) {}

    PowerConfig read(const Json& root) const {
        checkKeys(root, "", {"devices", "budget"});
        PowerConfig config;
        if (root.contains("budget")) {
            config.budget = watts(root["budget"], "/budget");
        }
        if (!root.contains("devices") || !root["devices"].is_array()) {
            fail("/devices", "an array of objects with name and power",
                 root.contains("devices") ? given(root["devices"]) : "nothing");
        }
        const Json& devices = root["devices"];
        if (devices.size() > kMaxPowerEntries) {
            fail("/devices", fmt::format("at most {} entries", kMaxPowerEntries), fmt::format("{}", devices.size()));
        }
        for (size_t i = 0; i < devices.size(); ++i) {
            addEntry(config, devices[i], fmt::format("/devices/{}", i));
        }
        return config;
    }

    [[noreturn]] void fail(const std::string& place, const std::string& expected, const std::string& came) const {
        throw Error(EINVAL, "{}: {}: expected {}, not {}", source_, place.empty() ? "the file" : place, expected, came);
    }

  private:
    static std::string given(const Json& value) {
        std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
        constexpr size_t kShown = 60;
        return text.size() <= kShown ? text : text.substr(0, kShown) + "...";
    }

    void checkKeys(const Json& object, const std::string& place, std::initializer_list<std::string_view> known) const {
        std::string names;
        for (const std::string_view name : known) {
            names += (names.empty() ? "" : ", ") + std::string(name);
        }
        if (!object.is_object()) {
            fail(place, "an object with " + names, given(object));
        }
        for (const auto& [key, value] : object.items()) {
            if (std::find(known.begin(), known.end(), key) == known.end()) {
                fail(place + "/" + key, "one of the keys " + names, "this key");
            }
        }
    }

    Milliwatts watts(const Json& value, const std::string& place) const {
        const double number = value.is_number() ? value.get<double>() : -1;
        if (!(number >= 0 && number <= kMaxWatts)) {
            fail(place, fmt::format("watts, a number from 0 to {}", kMaxWatts), given(value));
        }
        return static_cast<Milliwatts>(std::lround(number * 1000));
    }

    void addEntry(PowerConfig& config, const Json& entry, const std::string& place) const {
        checkKeys(entry, place, {"name", "power"});
        for (const char* key : {"name", "power"}) {
            if (!entry.contains(key)) {
                fail(place, "the keys name and power", given(entry));
            }
        }
        if (!entry["name"].is_string() || entry["name"].get_ref<const std::string&>().empty()) {
            fail(place + "/name", "the name of a unit or a device", given(entry["name"]));
        }
        PowerEntry added{entry["name"].get<std::string>(), watts(entry["power"], place + "/power")};
        const auto same = [&](const PowerEntry& other) { return other.name == added.name; };
        if (std::any_of(config.entries.begin(), config.entries.end(), same)) {
            fail(place + "/name", "each name once", given(entry["name"]) + " again");
        }
        if (config.budget && added.power > *config.budget) {
            fail(place + "/power", fmt::format("at most the budget, {:g}", *config.budget / 1000.0),
                 given(entry["power"]));
        }
        config.entries.push_back(std::move(added));
    }

    const std::string& source_;
};

// "line 3, column 7" of a place in the text, which counts from 1.
std::string position(std::string_view text, size_t place) {
    const std::string_view before = text.substr(0, place == 0 ? 0 : std::min(place - 1, text.size()));
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t lineStart = before.rfind('\n') == std::string_view::npos ? 0 : before.rfind('\n') + 1;
    return fmt::format("line {}, column {}", line, before.size() - lineStart + 1);
}

}  // namespace

PowerConfig parsePowerConfig(std::string_view json, const std::string& source) {
    try {
        return Reader(source).read(Json::parse(json));
    } catch (const Json::parse_error& error) {
        // The library's text: "[json.exception...] parse error at line 1, column 2: what is wrong".
        const std::string_view text = error.what();
        const size_t reason = text.find(": ");
        throw Error(EINVAL, "{}: {}: expected JSON, as {{\"budget\": 5.0, \"devices\": [{{...}}]}}; {}", source,
                    position(json, error.byte), reason == std::string_view::npos ? text : text.substr(reason + 2));
    } catch (const Json::out_of_range& error) {
        // "[json.exception...] number overflow parsing '1e999'", of a file that is JSON otherwise.
        const std::string_view text = error.what();
        const size_t number = text.find('\'');
        throw Error(EINVAL, "{}: expected watts, numbers from 0 to {}, not {}", source, kMaxWatts,
                    number == std::string_view::npos ? text : text.substr(number));
    }
}

PowerConfig readPowerConfig(const std::string& path) {
    std::string text(kMaxPowerConfigBytes + 1, '\0');
    errno = 0;
    std::ifstream file(path, std::ios::binary);
    if (!file || (!file.read(text.data(), static_cast<std::streamsize>(text.size())) && !file.eof())) {
        throw Error(errno == 0 ? EIO : errno, "{}: can't read the power configuration: {}", path,
                    errnoText(errno == 0 ? EIO : errno));
    }
    text.resize(static_cast<size_t>(file.gcount()));
    if (text.size() > kMaxPowerConfigBytes) {
        throw Error(EINVAL, "{}: expected a power configuration of at most {} bytes, the file is larger", path,
                    kMaxPowerConfigBytes);
    }
    return parsePowerConfig(text, path);
}

std::string powerDomainOf(const PowerConfig& config, const std::string& device) {
    const auto isDevice = [&](const PowerEntry& entry) { return entry.name == device; };
    if (std::any_of(config.entries.begin(), config.entries.end(), isDevice)) {
        return device;
    }
    for (size_t begin = 0; begin < device.size();) {
        const size_t end = std::min(device.find('-', begin), device.size());
        const std::string part = device.substr(begin, end - begin);
        if (isUnit(part)) {
            return part;
        }
        begin = end + 1;
    }
    return device;
}

std::vector<std::string> unknownNames(const PowerConfig& config, const std::vector<std::string>& devices) {
    std::vector<std::string> unknown;
    for (const PowerEntry& entry : config.entries) {
        if (!isUnit(entry.name) && std::find(devices.begin(), devices.end(), entry.name) == devices.end()) {
            unknown.push_back(entry.name);
        }
    }
    return unknown;
}

}  // namespace larod::service
