// SPDX-License-Identifier: Apache-2.0
// The messages between a client and its session.
//
// One SOCK_SEQPACKET datagram is one message with its fds; there is no framing and no state between datagrams.
//
//      0        4        8                16
//     +--------+--------+----------------+---------------------------+
//     | type   | 0      | request id     | fields, see archive.h     |   fds beside it
//     +--------+--------+----------------+---------------------------+
//
// A client's request has an id that grows from message to message (the session orders jobs of equal priority by it);
// the reply carries the same id. Id 0 is a message that answers no request: the Welcome, or a Failure that says why the
// connection ends.
//
// Handshake. The client's first message is a Hello, which must bring a magic number and its protocol version; the
// answer is a Welcome or a Refusal, or a Failure where the session ended while it was being made. The bytes of Hello
// and Refusal are the same in every version for ever, so that an old service can tell a new client that they don't fit,
// and the other way round:
//
//     Hello     u32 1 | u32 version | u64 magic                         (anything may follow, and is ignored)
//     Refusal   u32 2 | u32 version | u64 magic | i32 code | u32 length | text
//
// There is no negotiation: client and service of one machine are installed together, and versions either fit or don't.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/param_map.h"
#include "base/tensor_spec.h"
#include "wire/limits.h"

namespace larod::wire {

inline constexpr uint32_t kProtocolVersion = 1;
inline constexpr uint64_t kMagic = 0x31'64'6f'72'61'6c'6f;  // "olarod1"

enum class MessageType : uint32_t {
    Hello = 1,    // frozen
    Refusal = 2,  // frozen
    Welcome = 3,

    // Requests of the client.
    Disconnect = 16,
    GetNumSessions = 17,
    LoadModel = 18,
    GetModel = 19,
    GetModels = 20,
    DeleteModel = 21,
    AllocTensors = 22,
    TrackTensor = 23,
    ReleaseTensors = 24,
    RunJob = 25,
    GetStatus = 26,  // status_messages.h

    // Replies of the session.
    Done = 64,
    Failure = 65,
    NumSessions = 66,
    Model = 67,
    Models = 68,
    TensorsAllocated = 69,
    TensorTracked = 70,
    Status = 71,

    // Of the session, before the answer of a request.
    Note = 72,
};

struct Header {
    MessageType type{};
    uint32_t reserved = 0;
    uint64_t requestId = 0;
};
inline constexpr size_t kHeaderBytes = 16;

struct Hello {
    static constexpr auto kType = MessageType::Hello;
    uint32_t version = kProtocolVersion;
    uint64_t magic = kMagic;
};

struct Refusal {
    static constexpr auto kType = MessageType::Refusal;
    uint32_t version = kProtocolVersion;
    uint64_t magic = kMagic;
    int32_t code = 0;  // a larodErrorCode
    std::string text;
};

struct DeviceInfo {
    std::string name;
    uint32_t instance = 0;
    bool takesFile = false;  // its models are files, which it takes as they are

    template <class Archive>
    void fields(Archive& archive) {
        archive.text(name, kMaxDeviceNameLength);
        archive(instance);
        archive(takesFile);
    }
};

// The session is there. Devices are named by their place in this list from now on.
struct Welcome {
    static constexpr auto kType = MessageType::Welcome;
    std::vector<DeviceInfo> devices;

    template <class Archive>
    void fields(Archive& archive) {
        archive.list(devices, kMaxDevices);
    }
};

// Ends the session in an orderly way; answered by Done when the service's tables no longer know it.
struct Disconnect {
    static constexpr auto kType = MessageType::Disconnect;
    template <class Archive>
    void fields(Archive&) {}
};

struct GetNumSessions {
    static constexpr auto kType = MessageType::GetNumSessions;
    template <class Archive>
    void fields(Archive&) {}
};

struct NumSessions {
    static constexpr auto kType = MessageType::NumSessions;
    uint64_t count = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(count);
    }
};

// Answered by Model or Failure. With `hasFile` one fd comes along: the model's data, read from its beginning.
struct LoadModel {
    static constexpr auto kType = MessageType::LoadModel;
    uint32_t device = 0;  // place in Welcome::devices
    larodAccess access = LAROD_ACCESS_INVALID;
    bool hasFile = false;
    bool hasParams = false;  // a map without entries is not the same as no map (preprocessing.md 1)
    std::string name;
    ParamMap params;

    template <class Archive>
    void fields(Archive& archive) {
        archive(device);
        archive(access);
        archive(hasFile);
        archive(hasParams);
        archive.text(name, kMaxModelNameLength);
        archive(params);
    }
};

template <class Archive>
void tensorSpecFields(Archive& archive, TensorSpec& spec) {
    archive.text(spec.name, kMaxTensorNameLength);
    archive(spec.dataType);
    archive(spec.layout);
    archive(spec.dims);
    archive(spec.pitches);
}

struct TensorInfo {
    TensorSpec spec;
    template <class Archive>
    void fields(Archive& archive) {
        tensorSpecFields(archive, spec);
    }
};

struct ModelInfo {
    uint64_t id = LAROD_INVALID_MODEL_ID;
    uint32_t device = 0;
    larodAccess access = LAROD_ACCESS_INVALID;
    uint64_t sizeBytes = 0;  // never 0 in a loaded model (api.md 7)
    std::string name;
    std::vector<TensorInfo> inputs;
    std::vector<TensorInfo> outputs;

    template <class Archive>
    void fields(Archive& archive) {
        archive(id);
        archive(device);
        archive(access);
        archive(sizeBytes);
        archive.text(name, kMaxModelNameLength);
        archive.list(inputs, kMaxTensors);
        archive.list(outputs, kMaxTensors);
    }
};

// Reply to LoadModel and GetModel.
struct Model {
    static constexpr auto kType = MessageType::Model;
    ModelInfo model;
    template <class Archive>
    void fields(Archive& archive) {
        model.fields(archive);
    }
};

struct GetModel {
    static constexpr auto kType = MessageType::GetModel;
    uint64_t modelId = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(modelId);
    }
};

// Asks for one page of the list of loaded models: those with an id greater than `afterId`, in the order of their ids.
struct GetModels {
    static constexpr auto kType = MessageType::GetModels;
    uint64_t afterId = 0;  // ids start at 1
    template <class Archive>
    void fields(Archive& archive) {
        archive(afterId);
    }
};

struct Models {
    static constexpr auto kType = MessageType::Models;
    std::vector<ModelInfo> models;
    bool more = false;  // ask again with the last id of this page
    template <class Archive>
    void fields(Archive& archive) {
        archive.list(models, kMaxModelsPerPage);
        archive(more);
    }
};

struct DeleteModel {
    static constexpr auto kType = MessageType::DeleteModel;
    uint64_t modelId = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(modelId);
    }
};

// Answered by TensorsAllocated, with one fd a tensor, in the model's order; all or nothing.
struct AllocTensors {
    static constexpr auto kType = MessageType::AllocTensors;
    uint64_t modelId = 0;
    Direction direction = Direction::Input;
    uint32_t fdProps = 0;  // what the buffers must have; 0: the service chooses
    ParamMap params;

    template <class Archive>
    void fields(Archive& archive) {
        archive(modelId);
        archive(direction);
        archive(fdProps);
        archive(params);
    }
};

struct AllocatedTensor {
    uint64_t trackingId = 0;
    uint64_t fdSize = 0;
    uint32_t fdProps = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(trackingId);
        archive(fdSize);
        archive(fdProps);
    }
};

struct TensorsAllocated {
    static constexpr auto kType = MessageType::TensorsAllocated;
    std::vector<AllocatedTensor> tensors;
    template <class Archive>
    void fields(Archive& archive) {
        archive.list(tensors, kMaxTensors);
    }
};

// What a tensor says about its fd (api.md 8).
struct FdAttributes {
    uint64_t size = 0;
    int64_t offset = 0;
    uint32_t props = 0;
    template <class Archive>
    void fields(Archive& archive) {
        archive(size);
        archive(offset);
        archive(props);
    }
};

// One fd comes along. Answered by TensorTracked.
struct TrackTensor {
    static constexpr auto kType = MessageType::TrackTensor;
    FdAttributes fd;
    template <class Archive>
    void fields(Archive& archive) {
        fd.fields(archive);
    }
};

struct TensorTracked {
    static constexpr auto kType = MessageType::TensorTracked;
    uint64_t trackingId = 0;  // never 0, never used again by this session
    template <class Archive>
    void fields(Archive& archive) {
        archive(trackingId);
    }
};

// Ends tracking and frees allocated buffers. Unknown ids are ignored. Answered by Done.
struct ReleaseTensors {
    static constexpr auto kType = MessageType::ReleaseTensors;
    std::vector<uint64_t> trackingIds;
    template <class Archive>
    void fields(Archive& archive) {
        archive.list(trackingIds, kMaxReleasedTensors);
    }
};

// One tensor of a job. A tracked one is named by its id; an untracked one brings an fd, taken from the datagram in
// order.
struct JobTensor {
    uint64_t trackingId = 0;  // 0: untracked
    bool hasFd = false;       // untracked only: false where the client never set an fd
    FdAttributes fd;          // untracked only
    larodTensorDataType dataType = LAROD_TENSOR_DATA_TYPE_UNSPECIFIED;
    larodTensorLayout layout = LAROD_TENSOR_LAYOUT_UNSPECIFIED;
    larodTensorDims dims{};
    larodTensorPitches pitches{};

    template <class Archive>
    void fields(Archive& archive) {
        archive(trackingId);
        if (trackingId == 0) {
            archive(hasFd);
            fd.fields(archive);
        } else if constexpr (Archive::kReading) {
            hasFd = false;  // the element may have served another message before
            fd = {};
        }
        archive(dataType);
        archive(layout);
        archive(dims);
        archive(pitches);
    }
};

// Answered by Done when the outputs are written, or by Failure.
struct RunJob {
    static constexpr auto kType = MessageType::RunJob;
    uint64_t modelId = 0;
    uint8_t priority = kDefaultPriority;
    bool onlyRequest = false;  // the client can send nothing else before the reply (processes.md 3)
    bool syncNative = false;   // an older program: the service syncs dma-bufs for native devices too (dma-buf.md 4.4)
    bool explain = false;      // Notes tell how the device gets at each tensor that it has not been used for before
    std::vector<JobTensor> inputs;
    std::vector<JobTensor> outputs;
    ParamMap params;

    template <class Archive>
    void fields(Archive& archive) {
        archive(modelId);
        archive(priority);
        archive(onlyRequest);
        archive(syncNative);
        archive(explain);
        archive.list(inputs, kMaxTensors);
        archive.list(outputs, kMaxTensors);
        archive(params);
    }
};

struct Done {
    static constexpr auto kType = MessageType::Done;
    template <class Archive>
    void fields(Archive&) {}
};

// For the person who debugs the program: something about the request, of which there may be any number. Left out where
// the client does not read.
struct Note {
    static constexpr auto kType = MessageType::Note;
    std::string text;
    template <class Archive>
    void fields(Archive& archive) {
        archive.text(text, kMaxNoteLength);
    }
};

// The request failed; with request id 0 the connection ends, and this is why.
struct Failure {
    static constexpr auto kType = MessageType::Failure;
    int32_t code = 0;  // a larodErrorCode or a positive errno
    std::string text;
    template <class Archive>
    void fields(Archive& archive) {
        archive(code);
        archive.text(text, kMaxErrorTextLength);
    }
};

}  // namespace larod::wire
