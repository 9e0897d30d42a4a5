// SPDX-License-Identifier: Apache-2.0
// The part of LiteRT's C interface that we use, declared by ourselves: the wheel that ships the library brings no
// headers. Layouts and values are those of libLiteRt.so 2.3 on x86-64 and aarch64; handles are opaque, enumerations
// have 32 bits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

namespace larod::device::litert {

using Handle = void*;

enum Status : int { kOk = 0, kInvalidArgument = 1, kUnsupported = 5, kNotFound = 6, kInvalidFlatbuffer = 501 };

enum ElementType : int {
    kFloat32 = 1,
    kInt32 = 2,
    kUint8 = 3,
    kInt64 = 4,
    kString = 5,
    kBool = 6,
    kInt16 = 7,
    kComplex64 = 8,
    kInt8 = 9,
    kFloat16 = 10,
    kFloat64 = 11,
    kUint64 = 13,
    kUint32 = 16,
    kUint16 = 17,
    kInt4 = 18,
    kBfloat16 = 19,
};

inline constexpr int kAcceleratorCpu = 1;
inline constexpr int kMaxRank = 8;
// LiteRT binds host memory at this alignment only.
inline constexpr size_t kAlignment = 64;

struct Layout {
    unsigned rank : 7;
    unsigned hasStrides : 1;
    int32_t dimensions[kMaxRank];  // -1: dynamic
    uint32_t strides[kMaxRank];
};
static_assert(sizeof(Layout) == 68);

struct TensorType {
    int elementType;
    Layout layout;
};
static_assert(sizeof(TensorType) == 72);

enum AnyType : int { kAnyInt = 2 };
struct Any {
    int type;
    union {
        int64_t integer;
        const void* pointer;
    };
};
static_assert(sizeof(Any) == 16);

enum EnvironmentTag : int { kAutoRegisterAccelerators = 24, kMinLoggerSeverity = 25 };
struct EnvironmentOption {
    int tag;
    Any value;
};
static_assert(sizeof(EnvironmentOption) == 24);

// Every function that we call: return type, name without its prefix, parameters.
#define LAROD_LITERT_FUNCTIONS(X)                                                                                  \
    X(int, CreateEnvironment, (int count, const EnvironmentOption* options, Handle* environment))                  \
    X(void, DestroyEnvironment, (Handle environment))                                                              \
    X(int, CreateModelFromBuffer, (Handle environment, const void* data, size_t size, Handle* model))              \
    X(void, DestroyModel, (Handle model))                                                                          \
    X(int, GetNumModelSignatures, (Handle model, size_t * count))                                                  \
    X(int, GetModelSignature, (Handle model, size_t index, Handle * signature))                                    \
    X(int, GetNumSignatureInputs, (Handle signature, size_t * count))                                              \
    X(int, GetNumSignatureOutputs, (Handle signature, size_t * count))                                             \
    X(int, GetSignatureInputTensorByIndex, (Handle signature, size_t index, Handle * tensor))                      \
    X(int, GetSignatureOutputTensorByIndex, (Handle signature, size_t index, Handle * tensor))                     \
    X(int, GetSignatureOutputName, (Handle signature, size_t index, const char** name))                            \
    X(int, GetTensorName, (Handle tensor, const char** name))                                                      \
    X(int, GetTensorIndex, (Handle tensor, uint32_t * index))                                                      \
    X(int, GetRankedTensorType, (Handle tensor, TensorType * type))                                                \
    X(int, CreateOptions, (Handle * options))                                                                      \
    X(void, DestroyOptions, (Handle options))                                                                      \
    X(int, SetOptionsHardwareAccelerators, (Handle options, int mask))                                             \
    X(int, CreateOpaqueOptions, (const char* id, void* payload, void (*free)(void*), Handle* opaqueOptions))       \
    X(int, AddOpaqueOptions, (Handle options, Handle opaqueOptions))                                               \
    X(int, CreateCompiledModel, (Handle environment, Handle model, Handle options, Handle * compiled))             \
    X(void, DestroyCompiledModel, (Handle compiled))                                                               \
    X(int, GetCompiledModelInputTensorLayout, (Handle compiled, size_t signature, size_t index, Layout*))          \
    X(int, GetCompiledModelOutputTensorLayouts,                                                                    \
      (Handle compiled, size_t signature, size_t count, Layout * layouts, bool allocate))                          \
    X(int, CreateTensorBufferFromHostMemory,                                                                       \
      (const TensorType* type, void* memory, size_t size, void (*deallocate)(void*), Handle* buffer))              \
    X(void, DestroyTensorBuffer, (Handle buffer))                                                                  \
    X(int, RunCompiledModel,                                                                                       \
      (Handle compiled, size_t signature, size_t numInputs, Handle * inputs, size_t numOutputs, Handle * outputs)) \
    X(int, SetCompiledModelCancellationFunction, (Handle compiled, void* data, bool (*cancelled)(void*)))          \
    X(int, CompiledModelGetErrorMessages, (Handle compiled, char** messages))                                      \
    X(int, CompiledModelClearErrors, (Handle compiled))

// The loaded library. It stays in the process for ever: dlclose() does not unload it.
class Api {
  public:
    // Throws Error(LAROD_ERROR_LOAD_MODEL) that says where the library was looked for and how to get it.
    Api();
    Api(const Api&) = delete;
    Api& operator=(const Api&) = delete;

#define LAROD_LITERT_DECLARE(result, name, parameters) result(*name) parameters = nullptr;
    LAROD_LITERT_FUNCTIONS(LAROD_LITERT_DECLARE)
#undef LAROD_LITERT_DECLARE

    [[nodiscard]] const std::string& path() const noexcept { return path_; }

  private:
    std::string path_;
};

// What a status means, for messages.
[[nodiscard]] std::string statusText(int status);

// An object of the library, released with it. `destroy` is the member of Api that releases it.
template <void (*Api::*destroy)(Handle)>
class Owned {
  public:
    Owned() noexcept = default;
    explicit Owned(const Api& api) noexcept : api_(&api) {}
    Owned(Owned&& other) noexcept : api_(other.api_), handle_(other.handle_) { other.handle_ = nullptr; }
    Owned& operator=(Owned&& other) noexcept {
        if (this != &other) {
            reset();
            api_ = other.api_;
            handle_ = other.handle_;
            other.handle_ = nullptr;
        }
        return *this;
    }
    Owned(const Owned&) = delete;
    Owned& operator=(const Owned&) = delete;
    ~Owned() { reset(); }

    [[nodiscard]] Handle get() const noexcept { return handle_; }
    // For functions that create the object; nothing is held before.
    [[nodiscard]] Handle* out() noexcept {
        reset();
        return &handle_;
    }
    void reset() noexcept {
        if (handle_ != nullptr) {
            (api_->*destroy)(handle_);
            handle_ = nullptr;
        }
    }

  private:
    const Api* api_ = nullptr;
    Handle handle_ = nullptr;
};

using Environment = Owned<&Api::DestroyEnvironment>;
using Model = Owned<&Api::DestroyModel>;
using Options = Owned<&Api::DestroyOptions>;
using CompiledModel = Owned<&Api::DestroyCompiledModel>;
using TensorBuffer = Owned<&Api::DestroyTensorBuffer>;

}  // namespace larod::device::litert
