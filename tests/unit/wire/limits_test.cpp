// SPDX-License-Identifier: Apache-2.0
// Each limit of the protocol at its value and one past it, on both sides.
#include "wire/limits.h"

#include <gtest/gtest.h>

#include "unit/wire/random_message.h"

namespace larod::wire {
namespace {

template <class Message>
void expectFits(const Message& message) {
    Message back;
    ASSERT_NO_THROW(decode(test::encoded(message), back));
    EXPECT_EQ(test::encoded(back), test::encoded(message));
}

template <class Message>
void expectRefused(const Message& message) {
    try {
        static_cast<void>(test::encoded(message));
        FAIL() << "encoded";
    } catch (const Error& error) {
        EXPECT_EQ(error.code(), EINVAL) << error.text();
    }
}

// Puts `value` where the little u32 `old` stands first behind the header: a count or a length.
template <class Message>
void expectRefusedByReader(const Message& message, uint32_t old, uint32_t value) {
    auto bytes = test::encoded(message);
    bytes.resize(kMaxDatagramBytes);  // enough bytes behind it: the limit itself must refuse
    for (size_t place = kHeaderBytes; place + sizeof(old) <= bytes.size(); ++place) {
        if (std::memcmp(bytes.data() + place, &old, sizeof(old)) == 0) {
            std::memcpy(bytes.data() + place, &value, sizeof(value));
            Reader reader{std::span<const std::byte>(bytes).subspan(kHeaderBytes)};
            Message back;
            back.fields(reader);
            EXPECT_FALSE(reader.ok()) << value;
            return;
        }
    }
    FAIL() << "the message holds no " << old;
}

TEST(Limits, OfTensorsOfAModel) {
    Model message;
    message.model.inputs.resize(kMaxTensors);
    message.model.outputs.resize(kMaxTensors);
    expectFits(message);
    expectRefusedByReader(message, kMaxTensors, kMaxTensors + 1);
    message.model.outputs.resize(kMaxTensors + 1);
    expectRefused(message);
}

TEST(Limits, OfTensorsOfAJob) {
    RunJob message;
    message.inputs.resize(kMaxTensors);
    message.outputs.resize(kMaxTensors);
    expectFits(message);
    expectRefusedByReader(message, kMaxTensors, kMaxTensors + 1);
    message.inputs.resize(kMaxTensors + 1);
    expectRefused(message);
}

TEST(Limits, OfAllocatedTensors) {
    TensorsAllocated message;
    message.tensors.resize(kMaxTensors);
    expectFits(message);
    expectRefusedByReader(message, kMaxTensors, kMaxTensors + 1);
    message.tensors.resize(kMaxTensors + 1);
    expectRefused(message);
}

TEST(Limits, OfDevices) {
    Welcome message;
    message.devices.resize(kMaxDevices);
    message.devices[0].name.assign(kMaxDeviceNameLength, 'd');
    expectFits(message);
    expectRefusedByReader(message, kMaxDevices, kMaxDevices + 1);
    expectRefusedByReader(message, kMaxDeviceNameLength, kMaxDeviceNameLength + 1);
    message.devices[0].name += 'd';
    expectRefused(message);
    message.devices[0].name.clear();
    message.devices.resize(kMaxDevices + 1);
    expectRefused(message);
}

TEST(Limits, OfNamesOfModelsAndTensors) {
    Model message;
    message.model.id = 1;
    message.model.name.assign(kMaxModelNameLength, 'm');
    message.model.inputs.resize(1);
    message.model.inputs[0].spec.name.assign(kMaxTensorNameLength, 't');
    expectFits(message);
    expectRefusedByReader(message, kMaxModelNameLength, kMaxModelNameLength + 1);
    expectRefusedByReader(message, kMaxTensorNameLength, kMaxTensorNameLength + 1);
    message.model.inputs[0].spec.name += 't';
    expectRefused(message);
    message.model.inputs[0].spec.name.clear();
    message.model.name += 'm';
    expectRefused(message);
}

TEST(Limits, OfErrorTexts) {
    Failure message;
    message.text.assign(kMaxErrorTextLength, 'e');
    expectFits(message);
    expectRefusedByReader(message, kMaxErrorTextLength, kMaxErrorTextLength + 1);
    message.text += 'e';
    expectRefused(message);
}

TEST(Limits, OfParameters) {
    AllocTensors message;
    for (size_t i = 0; i < kMaxParams; ++i) {
        message.params.set(std::to_string(i), int64_t{7});
    }
    expectFits(message);
    expectRefusedByReader(message, kMaxParams, kMaxParams + 1);
    message.params.set("one more", int64_t{7});
    expectRefused(message);
}

TEST(Limits, OfKeysAndStrings) {
    AllocTensors message;
    message.params.set(std::string(kMaxParamLength, 'k'), std::string(kMaxParamLength, 'v'));
    expectFits(message);
    expectRefusedByReader(message, kMaxParamLength, kMaxParamLength + 1);
}

TEST(Limits, OfPagesOfAStatus) {
    Status message;
    message.devices.resize(kMaxDevices);
    message.sessions.resize(kMaxSessionsPerPage);
    message.sessions[0].command = std::string(kMaxCommandLength, 'c');
    message.models.resize(kMaxModelsPerPage);
    message.models[0].name = std::string(kMaxModelNameLength, 'm');
    expectFits(message);
    expectRefusedByReader(message, kMaxSessionsPerPage, kMaxSessionsPerPage + 1);
    expectRefusedByReader(message, kMaxCommandLength, kMaxCommandLength + 1);
    Status sessions = message;
    sessions.sessions.resize(kMaxSessionsPerPage + 1);
    expectRefused(sessions);
    Status command = message;
    command.sessions[0].command += 'c';
    expectRefused(command);
    Status models = message;
    models.models.resize(kMaxModelsPerPage + 1);
    expectRefused(models);
}

TEST(Limits, OfPagesOfModels) {
    Models message;
    message.models.resize(kMaxModelsPerPage);
    expectFits(message);
    expectRefusedByReader(message, kMaxModelsPerPage, kMaxModelsPerPage + 1);
    message.models.resize(kMaxModelsPerPage + 1);
    expectRefused(message);
}

TEST(Limits, OfReleasedTensors) {
    ReleaseTensors message;
    message.trackingIds.resize(kMaxReleasedTensors, 1);
    expectFits(message);
    expectRefusedByReader(message, kMaxReleasedTensors, kMaxReleasedTensors + 1);
    message.trackingIds.push_back(1);
    expectRefused(message);
}

TEST(Limits, OfDimensions) {
    TensorInfo info;
    std::vector<std::byte> buffer(1024);
    info.spec.dims.len = LAROD_TENSOR_MAX_LEN;
    Writer writer(buffer);
    info.fields(writer);
    ASSERT_TRUE(writer.fits());
    const size_t place = sizeof(uint32_t) * 3;  // behind the empty name, type and layout
    ASSERT_EQ(buffer[place], std::byte{LAROD_TENSOR_MAX_LEN});
    buffer[place] = std::byte{LAROD_TENSOR_MAX_LEN + 1};
    Reader reader(buffer);
    TensorInfo back;
    back.fields(reader);
    EXPECT_FALSE(reader.ok());
    EXPECT_EQ(back.spec.dims.len, 0U);
    info.spec.dims.len = LAROD_TENSOR_MAX_LEN + 1;
    Writer refused(buffer);
    info.fields(refused);
    EXPECT_FALSE(refused.fits());
}

// What the limits are made for: the largest messages are datagrams, and their fds pass.
TEST(Limits, LetTheLargestModelAndJobFitIntoADatagram) {
    const auto fill = [](TensorSpec& spec) {
        spec.name.assign(kMaxTensorNameLength, 't');
        spec.dims.len = LAROD_TENSOR_MAX_LEN;
        spec.pitches.len = LAROD_TENSOR_MAX_LEN;
    };
    Model model;
    model.model.name.assign(kMaxModelNameLength, 'm');
    model.model.inputs.resize(kMaxTensors);
    model.model.outputs.resize(kMaxTensors);
    RunJob job;
    job.inputs.resize(kMaxTensors);
    job.outputs.resize(kMaxTensors);
    for (size_t i = 0; i < kMaxTensors; ++i) {
        fill(model.model.inputs[i].spec);
        fill(model.model.outputs[i].spec);
        job.inputs[i].dims.len = job.inputs[i].pitches.len = LAROD_TENSOR_MAX_LEN;
        job.outputs[i].dims.len = job.outputs[i].pitches.len = LAROD_TENSOR_MAX_LEN;
    }
    LoadModel load;
    load.name.assign(kMaxModelNameLength, 'm');
    for (size_t i = 0; i < kMaxParams; ++i) {
        const auto key = std::to_string(i) + std::string(kMaxParamLength - 5, 'k');
        job.params.set(key, std::string(kMaxParamLength, 'v'));
        load.params.set(key, std::string(kMaxParamLength, 'v'));
    }
    expectFits(model);
    expectFits(job);
    expectFits(load);
    EXPECT_LE(2 * kMaxTensors, kMaxDatagramFds);
}

}  // namespace
}  // namespace larod::wire
