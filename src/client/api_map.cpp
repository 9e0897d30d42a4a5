// SPDX-License-Identifier: Apache-2.0
// larod.h: maps.
#include <array>
#include <string>
#include <utility>

#include "client/guard.h"
#include "client/map.h"

using namespace larod::client;

namespace {

void set(larodMap* map, const char* key, larod::ParamValue value) {
    require(map, "map");
    require(key, "key");
    map->params.set(key, std::move(value));
}

template <typename T>
const T& get(const larodMap* map, const char* key) {
    require(map, "map");
    require(key, "key");
    larod::ParamMap::checkKey(key);
    const T* value = map->params.get<T>(key, EINVAL);
    if (value == nullptr) {
        throw larod::Error(ENOENT, "the map has no key '{}'", key);
    }
    return *value;
}

}  // namespace

LAROD_EXPORT larodMap* larodCreateMap(larodError** error) {
    return guard<larodMap*>(error, nullptr, [] { return new larodMap; });
}

LAROD_EXPORT void larodDestroyMap(larodMap** map) {
    if (map != nullptr) {
        delete std::exchange(*map, nullptr);
    }
}

LAROD_EXPORT bool larodMapSetStr(larodMap* map, const char* key, const char* value, larodError** error) {
    return guard(error, [&] {
        require(value, "value");
        set(map, key, std::string(value));
    });
}

LAROD_EXPORT bool larodMapSetInt(larodMap* map, const char* key, const int64_t value, larodError** error) {
    return guard(error, [&] { set(map, key, value); });
}

LAROD_EXPORT bool larodMapSetIntArr2(larodMap* map, const char* key, const int64_t value0, const int64_t value1,
                                     larodError** error) {
    return guard(error, [&] { set(map, key, std::array<int64_t, 2>{value0, value1}); });
}

LAROD_EXPORT bool larodMapSetIntArr4(larodMap* map, const char* key, const int64_t value0, const int64_t value1,
                                     const int64_t value2, const int64_t value3, larodError** error) {
    return guard(error, [&] { set(map, key, std::array<int64_t, 4>{value0, value1, value2, value3}); });
}

LAROD_EXPORT const char* larodMapGetStr(larodMap* map, const char* key, larodError** error) {
    return guard<const char*>(error, nullptr, [&] { return get<std::string>(map, key).c_str(); });
}

LAROD_EXPORT bool larodMapGetInt(larodMap* map, const char* key, int64_t* value, larodError** error) {
    return guard(error, [&] {
        require(value, "value");
        *value = get<int64_t>(map, key);
    });
}

LAROD_EXPORT const int64_t* larodMapGetIntArr2(larodMap* map, const char* key, larodError** error) {
    return guard<const int64_t*>(error, nullptr, [&] { return get<std::array<int64_t, 2>>(map, key).data(); });
}

LAROD_EXPORT const int64_t* larodMapGetIntArr4(larodMap* map, const char* key, larodError** error) {
    return guard<const int64_t*>(error, nullptr, [&] { return get<std::array<int64_t, 4>>(map, key).data(); });
}
