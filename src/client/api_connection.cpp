// SPDX-License-Identifier: Apache-2.0
// larod.h: connections and devices.
#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "client/connection.h"
#include "client/guard.h"
#include "client/handshake.h"
#include "client/poll.h"

using namespace larod::client;
namespace wire = larod::wire;

LAROD_EXPORT bool larodConnect(larodConnection** conn, larodError** error) {
    return guard(error, [&] {
        require(conn, "conn");
        *conn = nullptr;
        const auto deadline = Clock::now() + kHandshakeTimeout;
        wire::Channel channel(wire::connectSocket(wire::defaultSocketPath(), kHandshakeTimeout));
        const wire::Welcome welcome =
            shakeHands(channel, std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()));
        *conn = new larodConnection(std::move(channel), welcome.devices);
    });
}

LAROD_EXPORT bool larodDisconnect(larodConnection** conn, larodError** error) {
    return guard(error, [&] {
        if (conn == nullptr || *conn == nullptr) {
            return;
        }
        if ((*conn)->onCallbackThread()) {
            throw larod::Error(EDEADLK,
                               "larodDisconnect inside a callback of the same connection would wait for itself; the "
                               "connection is still there");
        }
        const std::unique_ptr<larodConnection> owned(std::exchange(*conn, nullptr));
        owned->disconnect(kDisconnectTimeout);
    });
}

LAROD_EXPORT bool larodGetNumSessions(larodConnection* conn, uint64_t* numSessions, larodError** error) {
    return guard(error, [&] {
        require(conn, "conn");
        require(numSessions, "numSessions");
        *numSessions = conn->call<wire::NumSessions>(MessageRequest(wire::GetNumSessions{})).count;
    });
}

LAROD_EXPORT const larodDevice* larodGetDevice(const larodConnection* conn, const char* name, const uint32_t instance,
                                               larodError** error) {
    return guard<const larodDevice*>(error, nullptr, [&] {
        require(conn, "conn");
        require(name, "name");
        const auto& devices = conn->devices();
        const auto device = std::ranges::find_if(devices, [&](const larodDevice& candidate) {
            return candidate.name == name && candidate.instance == instance;
        });
        if (device == devices.end()) {
            const bool known =
                std::ranges::any_of(devices, [&](const larodDevice& other) { return other.name == name; });
            throw larod::Error(LAROD_ERROR_INVALID_CHIP_ID, "the service has no {} '{}' {}",
                               known ? "instance of device" : "device", name,
                               known ? "with number " + std::to_string(instance) : "(larod-client -a lists them)");
        }
        return &*device;
    });
}

LAROD_EXPORT const char* larodGetDeviceName(const larodDevice* dev, larodError** error) {
    return guard<const char*>(error, nullptr, [&] {
        require(dev, "dev");
        return dev->name.c_str();
    });
}

LAROD_EXPORT bool larodGetDeviceInstance(const larodDevice* dev, uint32_t* instance, larodError** error) {
    return guard(error, [&] {
        require(dev, "dev");
        require(instance, "instance");
        *instance = dev->instance;
    });
}

LAROD_EXPORT const larodDevice** larodListDevices(larodConnection* conn, size_t* numDevices, larodError** error) {
    return guard<const larodDevice**>(error, nullptr, [&] {
        require(conn, "conn");
        require(numDevices, "numDevices");
        *numDevices = conn->devices().size();
        return conn->devicePointers().data();
    });
}
